# What package.json says, and which package manager the app uses.

read_package_json() {
  python3 -c 'import json; d = json.load(open("package.json")); assert isinstance(d, dict), "it is not an object"' \
    2>"$cache/../.nodejs-error" || {
    local why
    why=$(tail -n1 "$cache/../.nodejs-error")
    rm -f "$cache/../.nodejs-error"
    refuse "Error: unable to read package.json." "$why" "Check it with: python3 -m json.tool package.json"
  }
  rm -f "$cache/../.nodejs-error"
}

# KEY...: the text there, or nothing.
package_json() {
  python3 - "$@" <<'PYTHON'
import json, sys
value = json.load(open("package.json"))
for key in sys.argv[1:]:
    value = value.get(key) if isinstance(value, dict) else None
print(value if isinstance(value, str) else "")
PYTHON
}

# Sets `manager`, `lock` and `manager_range`.
choose_package_manager() {
  local file asked
  local -a found=()
  for file in package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml; do
    [[ -f $file ]] && found+=("$file")
  done
  if ((${#found[@]} > 1)) && [[ "${found[*]}" != "package-lock.json npm-shrinkwrap.json" ]]; then
    refuse "Error: several lock files were found: ${found[*]}" \
      "Keep that of the package manager which the app uses, and take the others out: git rm FILE"
  fi
  lock=${found[0]:-}
  case $lock in
    yarn.lock) manager=yarn ;;
    pnpm-lock.yaml) manager=pnpm ;;
    *) manager=npm ;;
  esac

  asked=$(package_json packageManager)
  asked=${asked%%+*}
  if [[ $asked =~ ^(yarn|pnpm)@(.+)$ ]]; then
    [[ -z $lock || $manager == "${BASH_REMATCH[1]}" ]] || refuse \
      "Error: package.json says packageManager $asked, but the lock file is $lock." "Keep one of the two."
    manager=${BASH_REMATCH[1]} manager_range=${BASH_REMATCH[2]}
  else
    manager_range=$(package_json engines "$manager")
  fi
  if [[ $manager == yarn ]]; then
    manager_range=${manager_range:-1.x}
    if grep -qs '^__metadata:' yarn.lock || [[ $manager_range =~ ^[^0-9]*[2-9] ]]; then
      refuse "Error: Yarn 2 and later are not offered here; Yarn 1, npm and pnpm are." \
        "Move to one of these, or write the lock file with Yarn 1."
    fi
  fi
}

refuse_own_node() {
  [[ ! -e .heroku || -d .heroku ]] || refuse "Error: the app has a file named .heroku, where Node.js goes." \
    "Rename it, or list it in .slugignore."
  [[ ! -e .heroku/node ]] || refuse "Error: the app has a .heroku/node of its own, where Node.js goes." \
    "Take it out of git, or list it in .slugignore."
}
