# The app's Maven wrapper or the stack's Maven, and the repository that is kept between builds, as one archive.

choose_maven() {
  if [[ -f mvnw && -f .mvn/wrapper/maven-wrapper.properties ]]; then
    chmod +x mvnw
    maven=./mvnw
    topic "Using the app's Maven wrapper"
  elif maven=$(command -v mvn); then
    topic "Using $("$maven" -v 2>/dev/null | sed -nE '1s/.*(Apache Maven [0-9.]+).*/\1/p')"
  else
    refuse "Error: the stack '$stack' has no Maven, and the app has no Maven wrapper." \
      "Add one and commit it: mvn wrapper:wrapper"
  fi
}

# Java has its own list of authorities. Where the build was given another, Maven trusts that.
trust_certificates() {
  local bundle=${SSL_CERT_FILE:-} store=$work/trust.p12
  [[ -f $bundle && $stack != host ]] || return 0
  openssl pkcs12 -export -nokeys -jdktrust anyExtendedKeyUsage -in "$bundle" -out "$store" -passout pass:changeit 2>/dev/null || return 0
  trust="-Djavax.net.ssl.trustStore=$store -Djavax.net.ssl.trustStorePassword=changeit"
}

restore_repository() {
  repository=$work/repository trust=''
  mkdir -p "$repository"
  [[ ! -f $cache/repository.tar ]] || tar -xf "$cache/repository.tar" -C "$repository" || rm -f "$cache/repository.tar"
  touch "$work/started"
}

save_repository() {
  if (($(du -sm "$repository" | cut -f1) > 1024)); then
    rm -f "$cache/repository.tar"
    detail "Maven's repository is larger than 1 GB and is not kept"
  elif [[ ! -f $cache/repository.tar || -n $(find "$repository" -newer "$work/started" -type f -print -quit) ]]; then
    tar -cf "$cache/repository.tar" -C "$repository" .
  fi
}

run_maven() {
  local settings options goals
  local -a arguments=(-B "-Dmaven.repo.local=$repository")
  options=$(config_var MAVEN_CUSTOM_OPTS) goals=$(config_var MAVEN_CUSTOM_GOALS)
  settings=$(config_var MAVEN_SETTINGS_PATH)
  if [[ -n $(config_var MAVEN_SETTINGS_URL) ]]; then
    settings=$work/settings.xml
    # From standard input, where no process list has it.
    curl --fail --silent --show-error --location --retry 3 --max-time 60 --output "$settings" \
      --config - <<<"url = \"$(config_var MAVEN_SETTINGS_URL)\"" ||
      refuse "Error: the settings of the config var MAVEN_SETTINGS_URL could not be downloaded."
  fi
  [[ -n $settings || ! -f settings.xml ]] || settings=settings.xml
  [[ -z $settings ]] || arguments+=(-s "$settings")
  read -ra options <<<"${options:--DskipTests}"
  read -ra goals <<<"${goals:-clean dependency:list install}"
  trust_certificates
  topic "Executing: ${maven##*/} ${options[*]} ${goals[*]}"
  (
    export_config_vars
    export MAVEN_OPTS="${MAVEN_JAVA_OPTS:-${MAVEN_OPTS:--Xmx1024m}} $trust"
    exec "$maven" "${arguments[@]}" "${options[@]}" "${goals[@]}"
  ) 2>&1 | sed -u -E '/^\[INFO\] (Download|Progress)/d; s/^/       /' ||
    refuse "Error: Maven could not build the app." "What it says about it is above." \
      "Where its repository could not be reached, push again later."
}
