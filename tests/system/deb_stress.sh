# SPDX-License-Identifier: MIT
# full
# timeout: 600
# stress-ng's stressors that apply here, one after the other, each checking itself (--verify): none fails, none is skipped, and the
# machine is whole afterwards. Left out is what wants devices, networks, containers, swap, or other users' rights.
. tests/lib.sh
