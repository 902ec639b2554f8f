# What package.json says, and which package manager the app uses.

# FILE: one that is no JSON object is refused, by its line.
refuse_broken_json() {
  local why
  why=$(python3 - "$1" 2>&1 <<'PYTHON'
import json, sys
try:
    with open(sys.argv[1], encoding="utf-8-sig") as file:
        sys.exit(None if isinstance(json.load(file), dict) else "it is not an object")
except (ValueError, OSError) as wrong:
    sys.exit(str(wrong))
PYTHON
  ) || refuse "Error: unable to read $1." "$why" "Check it with: python3 -m json.tool $1"
}

# KEY...: the text there, or nothing.
package_json() {
  python3 - "$@" <<'PYTHON'
import json, sys
value = json.load(open("package.json", encoding="utf-8-sig"))
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
  if ((${#found[@]} > 1)); then
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
  berry=''
  if [[ $manager == yarn ]]; then choose_yarn; fi
}

# Yarn 2 and later, "berry", is another program with another lock file; its package in the registry has another name.
choose_yarn() {
  if grep -qs '^__metadata:' yarn.lock || [[ $manager_range =~ ^[^0-9]*[2-9] || -f .yarnrc.yml && -z $lock ]]; then
    berry=1
    [[ -z $lock ]] || grep -qs '^__metadata:' yarn.lock || refuse \
      "Error: package.json asks for yarn '$manager_range', but yarn.lock is Yarn 1's." "Run 'yarn install' with Yarn 2 or later and commit yarn.lock."
    [[ ! $manager_range =~ ^[^0-9]*1(\.|$) ]] || refuse \
      "Error: package.json asks for yarn '$manager_range', but yarn.lock was written by Yarn 2 or later." \
      "Name that version in package.json: \"packageManager\": \"yarn@4.5.0\""
  fi
  manager_range=${manager_range:-${berry:+4.x}}
  manager_range=${manager_range:-1.x}
}

# Plug'n'Play is berry's default: packages stay archives, which the app has to carry with it.
uses_plug_n_play() {
  [[ -n $berry ]] && ! grep -qsE '^nodeLinker: *"?(node-modules|pnpm)' .yarnrc.yml
}

refuse_own_node() {
  [[ ! -e .heroku || -d .heroku ]] || refuse "Error: the app has a file named .heroku, where Node.js goes." \
    "Rename it, or list it in .slugignore."
  [[ ! -e .heroku/node ]] || refuse "Error: the app has a .heroku/node of its own, where Node.js goes." \
    "Take it out of git, or list it in .slugignore."
}
