# The heap that fits the dyno, as Heroku sizes it; and a database's URL in the form that Java wants.
limit=''
for file in /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max; do
  if [[ -r $file ]] && read -r limit <"$file" && [[ $limit =~ ^[0-9]{1,15}$ ]]; then break; fi
  limit=''
done
limit=$((${limit:-536870912} >> 20))
case $limit in
  512) heap="-Xmx300m -Xss512k -XX:CICompilerCount=2" ;;
  1024) heap="-Xmx671m -XX:CICompilerCount=2" ;;
  *) heap="-XX:MaxRAMPercentage=80.0" ;;
esac
heap="-Dfile.encoding=UTF-8 -XX:MaxRAM=${limit}m $heap"
export JAVA_OPTS="$heap ${JAVA_OPTS:-}"
# A one-off dyno may run two: then the app's own word counts.
[[ ${DYNO:-} == run.* ]] || export JAVA_TOOL_OPTIONS="$heap ${JAVA_TOOL_OPTIONS:-}"
if [[ ${DATABASE_URL:-} =~ ^(postgres|postgresql|mysql)://([^:@/]*):([^@/]*)@([^/?]+)/([^?]*)(\?(.*))?$ ]]; then
  kind=${BASH_REMATCH[1]/#postgres*/postgresql} query=${BASH_REMATCH[7]:-}
  export JDBC_DATABASE_USERNAME=${JDBC_DATABASE_USERNAME:-${BASH_REMATCH[2]}}
  export JDBC_DATABASE_PASSWORD=${JDBC_DATABASE_PASSWORD:-${BASH_REMATCH[3]}}
  export JDBC_DATABASE_URL=${JDBC_DATABASE_URL:-jdbc:$kind://${BASH_REMATCH[4]}/${BASH_REMATCH[5]}?user=${BASH_REMATCH[2]}&password=${BASH_REMATCH[3]}${query:+&$query}}
  export SPRING_DATASOURCE_URL=${SPRING_DATASOURCE_URL:-$JDBC_DATABASE_URL}
  export SPRING_DATASOURCE_USERNAME=${SPRING_DATASOURCE_USERNAME:-$JDBC_DATABASE_USERNAME}
  export SPRING_DATASOURCE_PASSWORD=${SPRING_DATASOURCE_PASSWORD:-$JDBC_DATABASE_PASSWORD}
  unset kind query
fi
[[ -z ${REDIS_URL:-} ]] || export SPRING_DATA_REDIS_URL=${SPRING_DATA_REDIS_URL:-$REDIS_URL}
unset limit heap file
