#!/bin/sh
# A sweep on Slurm: a cluster of one node is started on the loopback interface, in a folder of its
# own; a task is killed half-way; what comes out equals a local sweep byte for byte.
PATH=$PATH:/usr/sbin:/sbin
for program in munged slurmctld slurmd sbatch squeue scontrol; do
    command -v "$program" >/dev/null || {
        echo "SKIPPED: no $program (Debian: slurm-wlm, munge)"
        exit 77
    }
done
. "$SOURCE/tests/common.sh"
started=

cleanup() {
    for process in $started; do
        kill "$process" 2>/dev/null
    done
    wait 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT

skip() {
    echo "SKIPPED: $*"
    tail -n 5 ./*.log
    exit 77
}

# within SECONDS COMMAND...: waits until the command succeeds.
within() {
    left=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.2
    done
}

# The cluster. Ports that depend on the process let several of these tests run at once.
port=$((20000 + $$ % 20000))
node=$(hostname -s)
dd if=/dev/urandom of=munge.key bs=64 count=1 2>/dev/null
chmod 400 munge.key
munged --foreground --force --key-file="$scratch/munge.key" --socket="$scratch/munge.socket" \
    --pid-file="$scratch/munged.pid" --seed-file="$scratch/munged.seed" >munged.log 2>&1 &
started="$started $!"
within 10 test -S munge.socket || skip "munged does not start here"
mkdir state spool
cat >slurm.conf <<END
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$scratch/munge.socket
SlurmctldPort=$port
SlurmdPort=$((port + 1))
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=200000,batch_sched_delay=1
ReturnToService=2
MpiDefault=none
NodeName=$node NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=$node Default=YES State=UP
END
export SLURM_CONF="$scratch/slurm.conf"
slurmctld -D >slurmctld.log 2>&1 &
started="$started $!"
slurmd -D >slurmd.log 2>&1 &
started="$started $!"
is_idle() {
    sinfo --noheader --format=%T | grep -q '^idle'
}
within 20 is_idle || skip "Slurm does not start here"

# Points long enough to be killed in: some 100,000 events each.
set -- --workload frames -s workload.frames=4000 --vary segments.local.size=1GiB,2GiB,3GiB \
    --vary scheduler.context-switch=lazy,eager
"$WDDMSIM" sweep "$@" -q --no-report -o local || fail "the local sweep"
"$WDDMSIM" sweep "$@" -q --no-report -o cluster --launcher slurm --tasks 3 >out 2>err &
sweep=$!

# The first task that is at work loses its process, point and all.
task_at_work() {
    victim=$(pgrep -f -- "sweep $scratch/cluster/study.yaml.*--shard 2/3" | head -n 1)
    [ -n "$victim" ] && [ -n "$(pgrep -P "$victim")" ]
}
if within 60 task_at_work; then
    kill -9 "$victim"
else
    fail "no task of the array was seen at work: $(cat err)"
fi
wait "$sweep"
status=$?
[ "$status" -eq 0 ] || fail "exit status $status: $(cat err)"
for file in sweep.csv sweep.json; do
    cmp "local/$file" "cluster/$file" || fail "$file differs from the local sweep's"
done
[ "$(ls local/points)" = "$(ls cluster/points)" ] || fail "other points than locally"
for point in local/points/*.json; do
    cmp "$point" "cluster/points/${point##*/}" || fail "a point differs"
done
[ "$(ls cluster/slurm/*_2.log 2>/dev/null | wc -l)" -eq 2 ] || fail "the killed task was not submitted again: $(ls cluster/slurm)"

# Everything is there: nothing is submitted again.
"$WDDMSIM" sweep "$@" --no-report -o cluster --launcher slurm --tasks 3 >out 2>err || fail "again: $(cat err)"
! grep -q submitted err || fail "a finished sweep was submitted again"
cmp local/sweep.json cluster/sweep.json || fail "the second time differs"

[ "$failures" -eq 0 ] || {
    echo "$failures failures"
    tail -n 20 slurmctld.log slurmd.log
}
[ "$failures" -eq 0 ]
