# How a buildpack speaks: topics, details, warnings, and the refusal that ends it. Those of the platform source
# this and config_vars.sh from ../lib, which the driver puts beside them.

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
