# SPDX-License-Identifier: MIT
# full
# timeout: 300
# git from its package: init, add, commit, log, diff, branches, merge, gc, fsck on a tree of 1,000 files; every object has
# the name that it has on the host.
. tests/lib.sh
. tests/deb.sh

compare git git,coreutils,findutils,sed,grep '
export GIT_AUTHOR_DATE="2024-01-01T00:00:00Z" GIT_COMMITTER_DATE="2024-01-01T00:00:00Z" GIT_PAGER=cat
git config --global user.email a@example.org; git config --global user.name "A B"; git config --global init.defaultBranch main
git init -q tree; cd tree
for d in 0 1 2 3 4 5 6 7 8 9; do mkdir d$d; for i in {1..100}; do echo "file $d $i $((d * i))" >d$d/f$i; done; done
git add .; git commit -q -m one; git ls-files | wc -l; git rev-parse HEAD
sed -i s/file/FILE/ d3/*; git rm -q d4/f7; git mv d5/f1 moved; git status --short | sort | head -n 4; git commit -qam two
git switch -q -c side HEAD~1; echo side >new; git add new; git commit -q -m side; git switch -q main; git merge -q -m merged side
git log --oneline --graph --stat | tail -n 5; git diff --stat HEAD~1 | tail -n 1; git show --format=%s HEAD~1 -- d3/f1
git gc -q; git count-objects -v | grep -v size; git fsck --strict; git rev-parse HEAD; git blame d3/f1
git clone -q . ../copy; cd ../copy; git log --format="%h %s" | head -n 3; find . -name "f*" -path "./d*" | wc -l; git fsck; git archive HEAD | sha256sum; git stash list; git tag -a v1 -m v1; git describe'
