# SPDX-License-Identifier: MIT
# full
# timeout: 2400
# All proofs of the verifier's arithmetic.
. tests/lib.sh
./aril prove && tools/prove/selftest 40 7
