# How the buildpack speaks: topics, details, warnings, and the refusal that ends it.

topic() { echo "-----> $*"; }
detail() { echo "       $*"; }
indent() { sed -u 's/^/       /'; }

# Each argument is a line.
warning() {
  echo
  printf ' !     %s\n' "$@"
  echo
}

refuse() {
  warning "$@"
  exit 1
}
