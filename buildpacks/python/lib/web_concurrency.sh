# How many web workers fit a dyno: two a core and one more, but no more than its memory holds at 256 MB each.
# DYNO_RAM is in MB. Whoever sets WEB_CONCURRENCY decides.

if [[ -z ${DYNO_RAM:-} ]]; then
  for limit in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    if [[ -r $limit ]] && read -r bytes <"$limit" && [[ $bytes =~ ^[0-9]{1,15}$ ]]; then
      DYNO_RAM=$((bytes / 1048576))
      break
    fi
  done
  unset limit bytes
fi
# No word of it, or one that says "no limit": the smallest dyno's.
if ! [[ ${DYNO_RAM:-} =~ ^[0-9]{1,6}$ ]] || ((DYNO_RAM < 128)); then DYNO_RAM=512; fi
export DYNO_RAM

if [[ -z ${WEB_CONCURRENCY:-} ]]; then
  by_cores=$((2 * $(nproc) + 1)) by_memory=$((DYNO_RAM / 256))
  WEB_CONCURRENCY=$((by_cores < by_memory ? by_cores : by_memory))
  ((WEB_CONCURRENCY >= 1)) || WEB_CONCURRENCY=1
  export WEB_CONCURRENCY WEB_CONCURRENCY_SET_BY=heroku/python
  unset by_cores by_memory
fi
