# Runs the script of a derivation with the programs of the host.
set -euo pipefail
# Nix 2.8 now and then reports a builder killed that ends while its output is still read.
trap '( sleep 0.2 ) &' EXIT
export PATH="$hostPath"
cd "$NIX_BUILD_TOP"
for input in ${nativeBuildInputs:-}; do
  source "$input"
done
eval "$script"
