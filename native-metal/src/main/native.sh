# What build.sh of both engines share; to be sourced.

# Prints JNA's name for this machine; nothing where no engine is made.
machine() {
  case "$(uname -s) $(uname -m)" in
    "Linux x86_64") echo linux-x86-64 ;;
    "Linux aarch64") echo linux-aarch64 ;;
    "Darwin arm64") echo darwin-aarch64 ;;
    "Darwin x86_64") echo darwin-x86-64 ;;
  esac
}

# put FOLDER LIBRARY...: a process that runs an old one keeps it.
put() {
  folder=$1
  shift
  mkdir -p "$folder"
  for library in "$@"; do
    new=$folder/new-${library##*/}
    cp -p "$library" "$new"
    mv -f "$new" "$folder/${library##*/}"
  done
}
