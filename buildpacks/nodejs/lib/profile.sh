export PATH="$HOME/.heroku/node/bin:$PATH:$HOME/bin:$HOME/node_modules/.bin"
export NODE_HOME="$HOME/.heroku/node"
export NODE_ENV="${NODE_ENV:-production}"

# MB: what the dyno has, and what one web process takes. Whoever sets WEB_CONCURRENCY decides.
if [[ -z ${MEMORY_AVAILABLE:-} ]]; then
  MEMORY_AVAILABLE=${DYNO_RAM:-}
  for limit in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    if [[ -z $MEMORY_AVAILABLE && -r $limit ]] && read -r bytes <"$limit" && [[ $bytes =~ ^[0-9]{1,15}$ ]]; then
      MEMORY_AVAILABLE=$((bytes / 1048576))
    fi
  done
  unset limit bytes
fi
[[ $MEMORY_AVAILABLE =~ ^[1-9][0-9]{0,6}$ ]] || MEMORY_AVAILABLE=512
((MEMORY_AVAILABLE <= 129024)) || MEMORY_AVAILABLE=512 # no limit was set
if ((MEMORY_AVAILABLE > 16384)); then WEB_MEMORY=${WEB_MEMORY:-2048}; fi
export MEMORY_AVAILABLE WEB_MEMORY="${WEB_MEMORY:-512}"
if [[ -z ${WEB_CONCURRENCY:-} && $WEB_MEMORY =~ ^[1-9][0-9]*$ ]]; then
  WEB_CONCURRENCY=$((MEMORY_AVAILABLE / WEB_MEMORY))
  ((WEB_CONCURRENCY >= 1)) || WEB_CONCURRENCY=1
  ((WEB_CONCURRENCY <= 200)) || WEB_CONCURRENCY=200
  export WEB_CONCURRENCY WEB_CONCURRENCY_SET_BY=heroku/nodejs
fi
