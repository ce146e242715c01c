# SPDX-License-Identifier: MIT
# timeout: 600
# The quick proofs of the verifier's arithmetic; what the prover itself does to formulas, tried; and unsound changes, which must
# fail.
. tests/lib.sh
./aril prove --quick && tools/prove/selftest 8 && tools/prove/planted/run
