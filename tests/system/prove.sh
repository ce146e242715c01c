# SPDX-License-Identifier: MIT
# timeout: 600
# The quick proofs of the verifier's arithmetic; and of unsound changes, which must fail.
. tests/lib.sh
./aril prove --quick && tools/prove/planted/run
