#!/bin/sh
# What the CI of a policy repository runs. usage: NARTHEX=/path/to/narthex ./ci.sh [FOLDER OF *.bundle]
#
# Keys are made for this run in a folder that is removed again; yours are files or tokens of three people, each of whom signs alone.
# With a folder of recorded evidence the draft is tried on it too.
set -eu

narthex=${NARTHEX:-narthex}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
recorded=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work"
at=2026-12-02T12:00:00Z

step() { printf '\n== %s\n' "$*"; }
public() { # the key in hexadecimal, as root.toml has it
    "$narthex" policy public-key --json --key "$1.pem" | sed -n 's/^ *"key": "\([0-9a-f]*\)".*/\1/p'
}
refused() { # the command must end with status 10
    status=0
    "$@" >"$work/refused" 2>&1 || status=$?
    if [ "$status" -ne 10 ]; then
        cat "$work/refused"
        echo "status $status, not 10: $*" >&2
        exit 1
    fi
}

step 'lint: every document is well-formed'
cd "$here"
"$narthex" policy lint policy.toml policy-gpu.toml releases/policy-1.toml root.toml inventory.toml stop.toml

step 'fmt: everyone lays them out alike'
"$narthex" policy fmt --check policy.toml policy-gpu.toml releases/policy-1.toml root.toml inventory.toml stop.toml cases/*.toml

step 'test: the rules say what we mean'
"$narthex" policy test cases

step 'diff: what this release allows and forbids'
"$narthex" policy diff releases/policy-1.toml policy.toml

step 'keys: three signers'
cd "$work"
cp "$here/root.toml" root.toml
for name in alice bob carol; do
    "$narthex" policy keygen "$name" >/dev/null
done
# The placeholders of root.toml, by the keys of this run.
for pair in alice:a bob:b carol:c; do
    key=$(public "${pair%%:*}")
    placeholder=$(printf '%063d%s' 0 "${pair##*:}")
    sed "s/$placeholder/$key/" root.toml >root.next && mv root.next root.toml
done

step 'sign: two of three for the root, the policy and the inventory'
mkdir published
"$narthex" policy sign --key alice.pem --key bob.pem root.toml -o root.json
"$narthex" policy sign --key alice.pem "$here/policy.toml" -o policy.json
refused "$narthex" policy verify --policy-root root.json --at "$at" policy.json
"$narthex" policy sign --key bob.pem policy.json -o published/policy.json
"$narthex" policy sign --key alice.pem --key bob.pem "$here/inventory.toml" -o published/inventory.json

step 'stop: one of three is enough; a log of one order'
"$narthex" policy sign --key bob.pem "$here/stop.toml" -o stop.json
"$narthex" policy append stop.json published/orders.jsonl --policy-root root.json

step 'timestamp: for a day'
"$narthex" policy timestamp --folder published --key alice.pem --lifetime 24h --issued "$at" --policy-root root.json

step 'verify: all that is published, as hosts do'
"$narthex" policy verify --policy-root root.json --at "$at" published

step 'start: one is not enough, two are; and once only'
chip="snp:$(printf 'a1%.0s' $(seq 64))"
start() { # as those sign whose keys are given
    "$narthex" policy start "$chip" --reason 'examined' --issued "$at" "$@" --orders published/orders.jsonl --policy-root root.json
}
refused start --key carol.pem
start --key carol.pem --key alice.pem
refused start --key carol.pem --key alice.pem
"$narthex" policy verify --policy-root root.json --at "$at" published
"$narthex" policy verify --policy-root root.json published/orders.jsonl

step 'rotate: dora comes for carol; what is pinned stays'
"$narthex" policy keygen dora >/dev/null
dora=$(public dora)
carol=$(public carol)
sed -e "s/$carol/$dora/" -e 's/carol/dora/g' -e 's/^version = 1$/version = 2/' root.toml >root-2.toml
refused "$narthex" policy rotate-root root.json root-2.toml --key dora.pem --key alice.pem --roots published/roots.jsonl
"$narthex" policy rotate-root root.json root-2.toml --key alice.pem --key bob.pem --roots published/roots.jsonl
# The start was signed by carol and alice: without carol's key it needs another signature. So does whatever else rotate-root names.
refused "$narthex" policy verify --policy-root root.json --at "$at" published
"$narthex" policy sign --key bob.pem published/orders.jsonl -o published/orders.jsonl
"$narthex" policy timestamp --folder published --key dora.pem --lifetime 24h --issued "$at" --policy-root root.json
"$narthex" policy verify --policy-root root.json --at "$at" published

if [ -n "$recorded" ]; then
    step 'simulate: who would be refused'
    "$narthex" policy simulate "$here/policy.toml" --evidence "$recorded" --inventory "$here/inventory.toml" || [ $? -eq 10 ]
fi

printf '\nall of it holds\n'
