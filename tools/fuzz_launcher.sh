#!/bin/bash
# The launcher of cc_fuzz_test: runs a fuzz target with folders of its own. Targets NAME, NAME_run, NAME_explore and
# NAME_report call it; flags and environment are those of rules_fuzzing.
set -u

usage() {
  cat <<END
Flags of the launcher, each as --flag=VALUE or --flag VALUE:
  --timeout_secs N            stop after so many seconds (0: never; the default)
  --clean                     remove what earlier runs have found first; a folder that no run has made is left alone
  --jobs N                    so many processes that share what they find ("all": one for each processor)
  --merge                     instead of fuzzing: keep the fewest inputs of the corpus that reach all that it reaches
  --report                    instead of fuzzing: what the runs so far have reached and found, as campaign.html and campaign.md;
                              NAME_report does the same, and tells which lines and branches
  --regression                only execute the seeds
  --corpus_dir FOLDER         seeds, texts or bytes, from this folder instead of the built ones; nothing in it is changed
  --dictionary_path FILE      a dictionary for the engine
  --fuzzing_output_root DIR   folders corpus/ and artifacts/ are made here
                              (default: ${TMPDIR:-/tmp}/jacquard-USER/TARGET)
Flags of the target, handed on (--target_help says more):
  --shape THREADSxOPERATIONS, --executions N, --max-steps N, --time-limit SECONDS, --memory sc|rc11, --max-history N,
  --features LIST, --mutations LIST, --addresses HOW
and with all that follows them:
  --replay FILE, --minimize FILE (both: --html FILE, --json, --all), --triage [FOLDER], --add-regression FILE, --survey FILE...,
  --to-text FILE, --from-text FILE, --seed-corpus FOLDER FILE... (--sources FILE)
What has one dash (-jobs=2, -help=1) goes to the engine, with all that follows it.
END
}

fail() {
  echo "fuzz_launcher: $1" >&2
  exit 2
}

# As of the explorer; and what the engine can add to the time without an overflow.
most_jobs=256 most_seconds=1000000000
label='' binary='' covered='' seeds='' sources=/dev/null reporter='' report=false corpus_source='' corpus_dir='' config='' output_root='' dictionary='' timeout=0 jobs='' clean=false merge=false regression=false explore=false ordinary=false target_flags=()
while (($# > 0)); do
  case $1 in
    --label=* | --binary_path=* | --covered_path=* | --reporter=* | --seed_corpus=* | --corpus_source=* | --bazel_config=* | --timeout_secs=* | --jobs=* | \
      --corpus_dir=* | --dictionary_path=* | --fuzzing_output_root=*)
      flag=${1%%=*} value=${1#*=}
      ;;
    --timeout_secs | --jobs | --corpus_dir | --dictionary_path | --fuzzing_output_root)
      (($# > 1)) || fail "$1 needs a value"
      flag=$1 value=$2
      shift
      ;;
    --clean | --merge | --report | --regression | --noclean | --noregression | --ordinary)
      flag=$1 value=''
      ;;
    --help)
      usage
      exit 0
      ;;
    --target_help)
      set -- --help
      break
      ;;
    --)
      shift
      break
      ;;
    --explore)  # all that follows is the explorer's
      explore=true
      shift
      break
      ;;
    --shape=* | --features=* | --mutations=* | --addresses=* | --executions=* | --max-steps=* | --time-limit=* | --memory=* | --max-history=*)
      target_flags+=("$1")
      shift
      continue
      ;;
    --shape | --features | --mutations | --addresses | --executions | --max-steps | --time-limit | --memory | --max-history)
      (($# > 1)) || fail "$1 needs a value"
      target_flags+=("$1" "$2")
      shift 2
      continue
      ;;
    --replay | --replay=* | --minimize | --minimize=* | --triage | --triage=* | --add-regression | --add-regression=* | --survey | --to-text | --to-text=* | --from-text | --from-text=* | \
      --seed-corpus | --seed-corpus=* | --sources | --sources=* | --all | --json | --html | --html=* | --force)
      break
      ;;
    --*)
      fail "unknown flag $1; --help lists the flags"
      ;;
    *)
      break
      ;;
  esac
  case $flag in
    --label) label=$value ;;
    --binary_path) binary=$(realpath -- "$value") ;;
    --corpus_source) corpus_source=$value ;;
    --seed_corpus)
      seeds=$(realpath -- "$value")
      [[ ! -f $value.sources ]] || sources=$(realpath -- "$value.sources")
      ;;
    --bazel_config) config=$value ;;
    --timeout_secs)
      [[ $value =~ ^0*([0-9]{1,10})$ ]] && ((10#${BASH_REMATCH[1]} <= most_seconds)) ||
        fail "--timeout_secs: \"$value\" is not a number of seconds from 0 to $most_seconds"
      timeout=$((10#${BASH_REMATCH[1]}))
      ;;
    --jobs)
      [[ $value != all ]] || value=$(($(nproc) < most_jobs ? $(nproc) : most_jobs))
      [[ $value =~ ^[1-9][0-9]{0,2}$ ]] && ((value <= most_jobs)) ||
        fail "--jobs: \"$value\" is neither a number of processes from 1 to $most_jobs nor \"all\""
      jobs=$value
      ;;
    --corpus_dir)
      folder=$(cd -- "${BUILD_WORKING_DIRECTORY:-.}" && realpath -- "$value")
      [[ -d $folder ]] || fail "--corpus_dir: no folder $value"
      corpus_dir=$folder seeds=$folder
      ;;
    --dictionary_path)
      # The built one is relative to the runfiles, the user's to where the user is.
      [[ -f $value || $value == /* ]] || value=${BUILD_WORKING_DIRECTORY:-.}/$value
      [[ -f $value ]] || fail "--dictionary_path: no file $value"
      dictionary=$(realpath -- "$value")
      ;;
    --fuzzing_output_root)
      # An unset variable; the default would be what --clean removes.
      [[ -n $value ]] || fail "--fuzzing_output_root: the name is empty; name a folder"
      output_root=$(cd -- "${BUILD_WORKING_DIRECTORY:-.}" && realpath -m -- "$value")
      ;;
    --merge) merge=true ;;
    --report) report=true ;;
    --covered_path) covered=$(realpath -- "$value") ;;
    --reporter) reporter=$(realpath -- "$value") ;;
    --clean) clean=true ;;
    --noclean) clean=false ;;
    --regression) regression=true ;;
    --noregression) regression=false ;;
    --ordinary) ordinary=true ;;  # scenario = False
  esac
  shift
done
[[ -x $binary ]] || fail "--binary_path: no program $binary"

# A folder per user and target: corpora of different targets do not mix.
user=$(id -un 2>/dev/null || id -u)
base=${TMPDIR:-/tmp}/jacquard-$user folder=${label#//}
default_root=$base/${folder/:/\/}
[[ -z ${TEST_TMPDIR:-} ]] || default_root=$TEST_TMPDIR/fuzzing base=''
own=false  # what lies in the output folder is from runs, whatever it is called
[[ -n $output_root && $output_root != "$(realpath -m -- "$default_root")" ]] || own=true
[[ -z $output_root ]] || base=''
output_root=${output_root:-$default_root}

# What --clean removes, and what says that a run has made the folder that it lies in.
removed=("$output_root/corpus" "$output_root/artifacts" "$output_root/progress.jsonl")
marker=$output_root/.jacquard_output

# Only for what is written there: a replay needs no folder.
own_base() {
  [[ -n $base ]] || return 0
  mkdir -p -m 700 -- "$base" || fail "cannot make $base; --fuzzing_output_root names another folder"
  [[ -O $base ]] || fail "$base belongs to somebody else; --fuzzing_output_root names another folder"
}
make_folders() { # FOLDER...: in the output folder, which is marked if there were none before
  own_base
  local folder probe
  [[ $own == true || -e ${removed[0]} || -e ${removed[1]} ]] || own=true
  mkdir -p -- "$@" || fail "cannot make folders in $output_root"
  [[ $own == false || -e $marker ]] || echo 'Made by a fuzzing run: --clean may remove corpus and artifacts.' >"$marker" ||
    fail "cannot write to $output_root (is it read-only, or the disk full?); --fuzzing_output_root names another folder"
  # The engine would go on, and lose what it finds.
  for folder; do
    probe=$(mktemp -- "$folder/.probe-XXXXXX") && rm -- "$probe" ||
      fail "cannot write to $folder (is it read-only, or the disk full?); --fuzzing_output_root names another folder"
  done
}
overlap() { # ONE OTHER: whether one of them is the other, or lies in it
  local one other
  one=$(realpath -m -- "$1") other=$(realpath -m -- "$2")
  [[ $one/ == "${other%/}"/* || $other/ == "${one%/}"/* ]]
}

export FUZZER_BINARY=$binary
export FUZZER_TIMEOUT_SECS=$timeout
export FUZZER_IS_REGRESSION=$([[ $regression == true ]] && echo 1 || echo 0)
export FUZZER_DICTIONARY_PATH=$dictionary
export FUZZER_SEED_CORPUS_DIR=$seeds
export FUZZER_OUTPUT_ROOT=$output_root
export FUZZER_OUTPUT_CORPUS_DIR=$output_root/corpus
export FUZZER_ARTIFACTS_DIR=$output_root/artifacts

# The command that a failure's report names. A test does not know its workspace, and leaves no program behind.
if [[ -n $label && (-n ${BUILD_WORKSPACE_DIRECTORY:-} || ($regression == true && -n ${TEST_SRCDIR:-})) ]]; then
  bazel=bazel
  if [[ -x ${BUILD_WORKSPACE_DIRECTORY:-}/bazelw ]]; then
    bazel=$BUILD_WORKSPACE_DIRECTORY/bazelw
    [[ ${BUILD_WORKING_DIRECTORY:-} == "$BUILD_WORKSPACE_DIRECTORY" ]] && bazel=./bazelw
  fi
  bazel=$(printf %q "$bazel")  # as a shell reads it
  export JACQUARD_REPLAY_COMMAND="$bazel run ${config:+--config=$config }${label}_run -- --replay"
fi

for sanitizer in ASAN TSAN UBSAN; do
  name=${sanitizer}_OPTIONS
  symbolizer=/usr/bin/llvm-symbolizer-19
  [[ ${!name:-} == *external_symbolizer_path* || ! -x $symbolizer ]] ||
    export "$name=${!name:+${!name}:}external_symbolizer_path=$symbolizer"
done

# What is done instead of fuzzing, and what would have no effect then.
instead=()
for mode in regression merge report; do [[ ${!mode} == false ]] || instead+=("--$mode"); done
tool=false
[[ $explore == true ]] || case ${1:-} in
  --replay* | --minimize* | --triage* | --add-regression* | --survey | --to-text* | --from-text* | --seed-corpus* | --sources* | --all | --json | --html* | --force)
    tool=true
    instead+=("${1%%=*}")
    ;;
  --help | -help=1) tool=true ;;
esac
refuse_with() { # REASON FLAG MODE...: FLAG with one of these modes
  local reason=$1 flag=$2 mode
  shift 2
  for mode; do [[ " ${instead[*]} " != *" $mode "* ]] || fail "$flag with $mode: $reason"; done
}
((${#instead[@]} < 2)) || fail "${instead[0]} with ${instead[1]}: only one of them can be done at a time"
[[ -z $jobs ]] || refuse_with "only a fuzzing run has several processes" --jobs "${instead[@]}"
((timeout == 0)) || refuse_with "only a fuzzing run has a time limit" --timeout_secs "${instead[@]}"
[[ $clean == false || $regression == true ]] || refuse_with "what earlier runs have found is not removed then" --clean "${instead[@]}"
[[ " ${target_flags[*]} " != *" --executions"* ]] || refuse_with "each input is executed once" --executions --regression --merge
[[ " $* " != *" -runs="[!0]* ]] || refuse_with "each input is executed once" -runs --regression --merge

# Files that the user names are relative to where the user is.
[[ -z ${BUILD_WORKING_DIRECTORY:-} ]] || cd -- "$BUILD_WORKING_DIRECTORY" || exit 2

# An ordinary target has no flags of its own, and the engine would ignore them and fuzz.
if [[ $ordinary == true ]]; then
  for flag in "${target_flags[@]}" "${1:-}"; do
    [[ $flag != --* ]] || fail "${flag%%=*}: not with scenario = False; -help=1 lists the engine's flags"
  done
fi

# What has been found lies in the artifacts' folder unless the user says otherwise.
if [[ ${1:-} == --triage && (-z ${2:-} || ${2:-} == -*) ]]; then
  own_base
  set -- "--triage=$FUZZER_ARTIFACTS_DIR" "${@:2}"
fi

# A regression goes to the sources of the corpus unless the user names another folder.
if [[ ${1:-} == --add-regression* && " $* " != *" -o "* && " $* " != *" --output"* ]]; then
  [[ -n $corpus_source && -d ${BUILD_WORKSPACE_DIRECTORY:-}/$corpus_source ]] ||
    fail "--add-regression: -o FOLDER is missing: the folder of the corpus"
  set -- "$@" -o "$BUILD_WORKSPACE_DIRECTORY/$corpus_source"
fi

[[ $tool == false ]] || exec "$binary" "${target_flags[@]}" "$@"

if [[ $explore == true ]]; then
  # Where the user names a folder, or nothing is written, none is made.
  for argument; do
    case $argument in --output | --output=* | --replay | --replay=* | --list | --help) exec "$binary" "$@" ;; esac
  done
  make_folders "$FUZZER_ARTIFACTS_DIR"
  exec "$binary" "--output=$FUZZER_ARTIFACTS_DIR" "$@"
fi

if [[ $report == true ]]; then
  [[ -d $FUZZER_OUTPUT_CORPUS_DIR ]] || fail "--report: nothing has been fuzzed into $output_root yet"
  exec python3 "$reporter" "--target=$label" "--folder=$output_root" "--seeds=$seeds" "--covered=$covered" \
    "--workspace=${BUILD_WORKSPACE_DIRECTORY:-}" -- "$binary" "${target_flags[@]}"
fi

# Nothing is removed that the user has named to be read. Each name is followed by the flag that gave it.
named=()
[[ -z $corpus_dir ]] || named+=("$corpus_dir" "--corpus_dir $corpus_dir")
[[ -z $dictionary ]] || named+=("$dictionary" "--dictionary_path $dictionary")
for argument; do
  case $argument in
    -artifact_prefix=* | -exact_artifact_path=*) continue ;;  # written, not read
    -*=*) path=${argument#*=} ;;
    -*) continue ;;
    *) path=$argument ;;
  esac
  [[ -z $path || ! -e $path ]] || named+=("$path" "$argument")
done
spare() { # PATH REASON WHAT_TO_DO: that it is none of them, and has nothing to do with one
  local i
  for ((i = 0; i < ${#named[@]}; i += 2)); do
    ! overlap "$1" "${named[i]}" || fail "${named[i + 1]}: $2 $1, and with it what is named here; $3"
  done
}
if [[ $clean == true ]]; then
  for path in "${removed[@]}"; do
    [[ ! -e $path ]] || spare "$path" "--clean would remove" "copy it to another folder, or leave --clean away"
    [[ $own == true || -e $marker || ! -e $path ]] ||
      fail "--clean: $path was not made by a run; remove it yourself, or name another folder with --fuzzing_output_root"
  done
fi
given=("$output_root/given_seeds" "$output_root/given_seeds.sources")
if [[ -n $corpus_dir && $ordinary == false ]]; then
  for path in "${given[@]}"; do
    spare "$path" "the run would write anew" "copy it to another folder, or name another one with --fuzzing_output_root"
  done
fi
if [[ $clean == true ]]; then
  rm -rf -- "${removed[@]}" || fail "--clean: cannot remove what is in $output_root; nothing was fuzzed"
fi
make_folders "$FUZZER_OUTPUT_CORPUS_DIR" "$FUZZER_ARTIFACTS_DIR"

# The seeds that are built have been compiled already. Mistakes in these are to be found before the engine starts.
if [[ -n $corpus_dir && $ordinary == false ]]; then
  # In the folder of the target's output, where it may stay until the next time.
  seeds=${given[0]} sources=${given[1]}
  rm -rf -- "${given[@]}" || fail "cannot remove $seeds, which an earlier run has left; remove it yourself"
  "$binary" --sources "$sources" --seed-corpus "$seeds" "$corpus_dir" || exit
  FUZZER_SEED_CORPUS_DIR=$seeds
fi

arguments=("${target_flags[@]}" "-artifact_prefix=$FUZZER_ARTIFACTS_DIR/")
[[ -z $dictionary ]] || arguments+=("-dict=$dictionary")
if [[ $regression == true ]]; then
  [[ -z ${JACQUARD_REPLAY_COMMAND:-} ]] || export JACQUARD_SEED_SOURCES=$sources
  exec "$binary" "${arguments[@]}" -runs=0 "$@" "$seeds"
fi
if [[ $merge == true ]]; then
  # A set cover is smaller than what the engine's own merge keeps. Nothing is lost: the old corpus gets another name.
  merged=$(mktemp -d -- "$output_root/merged-XXXXXX") || fail "cannot make a folder in $output_root"
  kept=$(
    set -o pipefail
    "$binary" "${arguments[@]}" -set_cover_merge=1 "$@" "$merged" "$FUZZER_OUTPUT_CORPUS_DIR" "$seeds" 2>&1 |
      while IFS= read -r line || [[ -n $line ]]; do
        printf '%s\n' "$line" >&2
        [[ ! $line =~ ^MERGE-OUTER:\ ([0-9]+)\ new\ files ]] || printf '%s' "${BASH_REMATCH[1]}"
      done
  ) || fail "the merge failed; the corpus is as it was, what has been merged is in $merged"
  # The engine does not look whether a file was written, but names it after its content.
  count() { find "$1" -type f | wc -l; }
  [[ $(count "$merged") -eq $kept ]] && (cd -- "$merged" && find . -type f -printf '%f  %p\n' | sha1sum --check --status -) ||
    fail "the merge could not write all that it keeps (is the disk full?); the corpus is as it was, what has been merged is in $merged"
  chmod --reference="$FUZZER_OUTPUT_CORPUS_DIR" -- "$merged"
  number=1
  while [[ -e $output_root/corpus-before-merge-$number ]]; do number=$((number + 1)); done
  mv -- "$FUZZER_OUTPUT_CORPUS_DIR" "$output_root/corpus-before-merge-$number" &&
    mv -- "$merged" "$FUZZER_OUTPUT_CORPUS_DIR" || exit 1
  echo "$(count "$FUZZER_OUTPUT_CORPUS_DIR") inputs in $FUZZER_OUTPUT_CORPUS_DIR, of" \
    "$(count "$output_root/corpus-before-merge-$number") that are in $output_root/corpus-before-merge-$number now," \
    "and of the seeds" >&2
  exit 0
fi
[[ -z $jobs ]] || arguments+=("-fork=$jobs")
((timeout == 0)) || arguments+=("-max_total_time=$timeout")
[[ ! -t 1 ]] || echo "What is found goes to $output_root; Ctrl-C stops." >&2
export JACQUARD_PROGRESS_FILE=$output_root/progress.jsonl
# A panel in place of the engine's lines.
[[ ! -t 2 || ${TERM:-dumb} == dumb ]] || export JACQUARD_PANEL=1
arguments+=("$@" "$FUZZER_OUTPUT_CORPUS_DIR" "$seeds")
[[ " ${arguments[*]} " == *" -fork="* || " ${arguments[*]} " == *" -jobs="* ]] || exec "$binary" "${arguments[@]}"

# A signal that ends the engine does not end the processes that it has started: all get it, as a group of their own.
set -m
"$binary" "${arguments[@]}" &
engine=$!
signalled=false interrupted=false
# SIGTERM for any: the engine ignores SIGINT as long as it waits in system().
pass_on() {
  signalled=true interrupted=true
  kill -TERM -- "-$engine" 2>/dev/null
}
trap pass_on HUP INT TERM
wait "$engine"
status=$?
while [[ $signalled == true ]]; do  # it was the signal that ended the waiting
  signalled=false
  for ((i = 0; i < 100; ++i)); do
    kill -0 -- "-$engine" 2>/dev/null || break
    sleep 0.1
  done
  # The engine allocates memory where it handles the signal, and may wait for itself.
  kill -KILL -- "-$engine" 2>/dev/null
  wait "$engine"
  status=$?
done
# Where the signal has made it remove its own folder, one of its threads may complain before it ends.
[[ $interrupted == true && $status =~ ^(1|2|137)$ ]] && status=72
exit "$status"
