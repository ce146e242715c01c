# SPDX-License-Identifier: MIT
# The verifier's cases: what must be accepted, and what must be refused, for which reason and where.
# timeout: 240
. "$(dirname "$0")/../lib.sh"

tests/ext/run || fail "cases of the verifier"
