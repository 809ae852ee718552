#!/usr/bin/env bash
# Keyward on a cluster of its own in Docker: makes the cluster, builds and loads the image, installs the
# chart, applies the first samples. Repeatable: what is there already is brought up to date. README.md tells
# more. Usage: deploy/kind/up.sh [further arguments of helm upgrade, such as --set gate.unlisted=Allow]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cluster=keyward
namespace=keyward-system
context=kind-$cluster

say() { printf '\n== %s\n' "$*"; }

need() {
  command -v "$1" >/dev/null || {
    printf '%s is needed and not in the PATH\n' "$1" >&2
    exit 1
  }
}

# Policies and kinds take some seconds to be known everywhere in the API server.
insist() {
  for _ in $(seq 30); do
    if "$@"; then return 0; fi
    sleep 2
  done
  printf 'gave up: %s\n' "$*" >&2
  return 1
}

for program in docker kind kubectl helm; do need "$program"; done
docker info >/dev/null 2>&1 || {
  echo 'Docker does not answer: is it running, and may you use it?' >&2
  exit 1
}

version=$(sed -n 's/^appVersion: *//p' "$root/charts/keyward/Chart.yaml" | tr -d '"')
image=keyward:$version

if kind get clusters 2>/dev/null | grep -qx "$cluster"; then
  say "cluster $cluster is there already"
else
  say "making cluster $cluster"
  kind create cluster --config "$here/cluster.yaml" --wait 120s
fi

say "building $image"
commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || true)
docker build --build-arg "KEYWARD_COMMIT=$commit" --build-arg "LIBRARIES=${LIBRARIES:-pinned}" \
  -t "$image" "$root"

say 'loading it into the cluster'
kind load docker-image "$image" --name "$cluster"

say 'installing the chart'
# The image is in the nodes and in no registry. Its name stays the same from build to build, so the
# annotation is what makes pods of a new one.
id=$(docker image inspect --format '{{.Id}}' "$image")
helm upgrade --install keyward "$root/charts/keyward" --kube-context "$context" \
  --namespace "$namespace" --create-namespace --set image.pullPolicy=Never \
  --set-string "podAnnotations.image-id=$id" --wait --timeout 5m "$@"

say 'applying the first samples'
for sample in 00-store 10-quickstart; do
  insist kubectl --context "$context" apply -f "$root/samples/$sample.yaml"
done
kubectl --context "$context" wait --for=condition=Ready akey/hello --timeout=60s
kubectl --context "$context" get akey hello

say 'done'
cat <<END
The value of the key:
  kubectl --context $context get secret hello -o jsonpath='{.data.apiKey}' | base64 -d
The gate on this machine, for example with the value as header X-API-Key:
  kubectl --context $context -n $namespace port-forward service/keyward-gate 8180
Everything away, the keys with it:
  kind delete cluster --name $cluster
END
