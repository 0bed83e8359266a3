#!/bin/bash
# Runs inside the machine that `machine.sh` boots: lays out its disks as `../every-layer/layout.nix` says,
# puts load on them, gathers bundles and what the tools print, and breaks things at the end.
set -uo pipefail
# shellcheck source=common.sh
. /share/common.sh

step disks
modprobe -a zfs dm-crypt raid1 raid456 xfs btrfs
udevadm settle
fast=$(disk S4EWNX0R123456) helper=$(disk PHKS7335001X) slow=$(disk SLOWPOKE-9) bad=$(disk BADBAD-123)
left=$(disk ZC1AB2CD) right=$(disk ZC1EF3GH) tank0=$(disk WD-WX11A22B3344) tank1=$(disk WD-WX11A22B5566)
echo "$fast $helper $slow $left $right $tank0 $tank1 $bad"
part "$fast" 1 +256M fast-ESP EF00
part "$fast" 2 +512M fast-swap 8300
part "$fast" 3 0 fast-files 8300
part "$left" 1 0 left-raid FD00
part "$right" 1 0 right-raid FD00
part "$tank0" 1 0 tank0-zfs BF01
part "$tank1" 1 0 tank1-zfs BF01
part "$helper" 1 +512M helper-log BF01
part "$helper" 2 +1G helper-special BF01
part "$helper" 3 0 helper-cache BF01
udevadm settle

step LUKS, btrfs
mkfs.vfat -n ESP "$(by fast-ESP)" > /dev/null
mkdir -p /boot/efi && mount -o umask=0077 "$(by fast-ESP)" /boot/efi
head -c 64 /dev/urandom > /run/key
luks "$(by fast-swap)" cryptswap
luks "$(by fast-files)" files --sector-size 4096
mkswap -q /dev/mapper/cryptswap && swapon -p 10 /dev/mapper/cryptswap
mkfs.btrfs -q -L files /dev/mapper/files
mount /dev/mapper/files /mnt && for it in srv home nix; do btrfs -q subvolume create "/mnt/$it" > /dev/null; done; umount /mnt
mkdir -p /srv/files /nix
mount -o subvol=srv,noatime /dev/mapper/files /srv/files
mount -o subvol=home,compress=zstd:1 /dev/mapper/files /home
mount -o subvol=nix,noatime,compress=zstd:3 /dev/mapper/files /nix

step RAID1, LVM, ext4, xfs
mdadm --create /dev/md/mirror --run --level=1 --raid-devices=2 --metadata=default --homehost=any \
  "$(by left-raid)" "$(by right-raid)"
# Slow enough that the first synchronisation is seen.
echo 20000 > /proc/sys/dev/raid/speed_limit_max
sleep 2
save mdstat-resync cat /proc/mdstat
save mdadm-detail-resync.txt mdadm --detail /dev/md/mirror
echo 1000000 > /proc/sys/dev/raid/speed_limit_max
pvcreate -q /dev/md/mirror && vgcreate -q pool /dev/md/mirror
lvcreate -q -y -L 600M --type thin-pool -n thin pool
lvcreate -q -y -V 400M --thinpool thin -n redis pool
lvcreate -q -y -L 400M -n media pool
mkfs.ext4 -q -L redis /dev/pool/redis && mkdir -p /var/lib/redis && mount -o noatime /dev/pool/redis /var/lib/redis
mkfs.xfs -q -L media /dev/pool/media && mkdir -p /srv/media && mount -o noatime,logbsize=256k /dev/pool/media /srv/media

step OpenZFS
zpool create -f -o ashift=12 -o autotrim=on -O compression=lz4 -O mountpoint=none -O acltype=posixacl -O xattr=sa -O atime=off tank \
  mirror "$(by tank0-zfs)" "$(by tank1-zfs)" log "$(by helper-log)" special "$(by helper-special)" cache "$(by helper-cache)"
zfs create -o mountpoint=legacy -o recordsize=16K -o logbias=throughput tank/postgres
zfs create -o mountpoint=/srv/archive -o recordsize=1M -o compression=zstd-6 -o special_small_blocks=32K tank/archive
zfs create -V 512M -s -o volblocksize=16k tank/vm
mkdir -p /var/lib/postgresql && mount -t zfs tank/postgres /var/lib/postgresql
wait_for /dev/zvol/tank/vm && mkfs.ext4 -q -L vm /dev/zvol/tank/vm && mkdir -p /srv/vm && mount /dev/zvol/tank/vm /srv/vm

step services
chown -R postgres: /var/lib/postgresql && chown redis: /var/lib/redis
# The package's own cluster was made below what is mounted now.
rm -rf /etc/postgresql/15/main && pg_createcluster 15 main > /dev/null
systemctl start redis-server postgresql@15-main
sql() { su postgres -c "psql -X --csv -c \"$1\""; }
su postgres -c 'createdb bench && pgbench -q -i bench' > /dev/null 2>&1

step what somebody changed by hand
mount -o remount,commit=30,relatime /var/lib/redis
mount -o remount,compress=zstd:9 /home
zfs set recordsize=8K tank/postgres
zfs set compression=zstd tank
sysctl -qw vm.swappiness=1 vm.dirty_ratio=40 vm.dirty_background_ratio=10

step load
load() { fio --output=/dev/null --time_based --runtime=3000 --ioengine=psync --name="$(basename "$1")" --directory="$1" "${@:2}" & }
load /srv/files --rw=randwrite --bs=8k --size=48M --fsync=8 --rate_iops=60
load /srv/media --rw=write --bs=1M --size=48M --rate=2m
load /srv/archive --rw=randrw --bs=64k --size=96M --rate_iops=30
load /srv/vm --rw=randwrite --bs=4k --size=48M --fsync=4 --rate_iops=30
su postgres -c 'pgbench -c 1 -T 3000 -R 20 bench' > /dev/null 2>&1 &
redis-cli -r 1000000 -i 0.2 set key 'a value that is written again and again' > /dev/null &
sleep 5

step tools
for file in arcstats zil; do save "$file" cat "/proc/spl/kstat/zfs/$file"; done
save objsets sh -c 'head -n 30 /proc/spl/kstat/zfs/tank/objset-*'
save zpool-list.txt zpool list
save zpool-list-Hp.txt zpool list -Hp
save zpool-list-v.txt zpool list -v
save zpool-list-Hp-o.txt zpool list -Hp -o name,size,allocated,free,fragmentation,capacity,dedupratio,health,altroot
save zpool-status.txt zpool status
save zpool-status-P.txt zpool status -P
save zpool-status-s-t.txt zpool status -s -t
save zpool-status-j.json zpool status -j
save zpool-get-Hp.txt zpool get -Hp all
save zpool-iostat.txt zpool iostat 2 3
save zpool-iostat-vl.txt zpool iostat -v -l 2 3
save zpool-iostat-vylHp.txt zpool iostat -v -y -l -H -p 2 3
save zpool-iostat-vyl.txt zpool iostat -v -y -l -T d 2 3
save zpool-iostat-q.txt zpool iostat -q
save zpool-iostat-r.txt zpool iostat -r
save zpool-iostat-w.txt zpool iostat -w
save zfs-list.txt zfs list -o space
save zfs-get.txt zfs get all
save zfs-get-Hp.txt zfs get -Hp all
save zfs-get-j.json zfs get -j recordsize,compression
save zfs-mount.txt zfs mount
save arcstat.txt arcstat 2 3
save arcstat-a.txt arcstat -a 1 2
save arcstat-f.txt arcstat -f time,read,hits,miss,hit%,l2hits,l2miss,l2size,arcsz,c,avail 2 3
save arcstat-p.txt arcstat -p 1 2
save arc_summary.txt arc_summary
save arc_summary-s.txt arc_summary -s arc
save arc_summary-r.txt arc_summary -r
for it in "$tank0" "$left" "$fast" /dev/vda; do
  save "smartctl-a-${it##*/}.json" smartctl -j -a "$it"
  save "smartctl-x-${it##*/}.json" smartctl -j -x "$it"
  save "smartctl-a-${it##*/}.txt" smartctl -a "$it"
done
echo "ata $tank0, scsi $left, nvme $fast" > "$out/tools/which.txt"
save nvme-list.json nvme list -o json
for it in "$fast" "$helper"; do
  save "nvme-smart-log-${it##*/}.json" nvme smart-log -o json "$it"
  save "nvme-smart-log-${it##*/}.txt" nvme smart-log "$it"
  save "nvme-id-ns-${it##*/}.json" nvme id-ns -o json "$it"
  save "nvme-id-ns-H-${it##*/}.txt" nvme id-ns -H "$it"
  save "nvme-id-ctrl-${it##*/}.json" nvme id-ctrl -o json "$it"
done
save cryptsetup-status.txt cryptsetup status files
save cryptsetup-status-swap.txt cryptsetup status cryptswap
save cryptsetup-luksDump.txt cryptsetup luksDump "$(by fast-files)"
save dmsetup-table.txt dmsetup table
save dmsetup-ls.txt dmsetup ls --tree
save mdstat cat /proc/mdstat
save mdadm-detail.txt mdadm --detail /dev/md/mirror
for it in lvs vgs pvs; do
  save "$it.json" "$it" --reportformat json
  save "$it-a-b.json" "$it" -a --units b --reportformat json
  save "$it-std.json" "$it" -a --reportformat json_std
  save "$it-o-all.json" "$it" -a --units b -o all --reportformat json
done
save lsblk-J-O-b.json lsblk -J -O -b
save lsblk-J.json lsblk -J
save findmnt-J.json findmnt -J
save findmnt-real.json findmnt -J -l --real
save iostat-x.txt iostat -x 2 3
save iostat-xN.txt iostat -x -N 2 3
save iostat-x.json iostat -x -o JSON 2 3
save iostat-xNy.json iostat -x -N -y -o JSON 2 3
save df.txt df -PT -B1
save swaps cat /proc/swaps
save mounts cat /proc/mounts
save diskstats cat /proc/diskstats
for it in settings stat_database stat_bgwriter stat_wal stat_user_tables; do
  save "pg_$it.csv" sql "select * from pg_$it"
done
save redis-info.txt redis-cli INFO
save systemd-analyze-blame.txt systemd-analyze blame --no-pager
save systemd-analyze.txt systemd-analyze time
# shellcheck disable=SC2016 # It is the inner shell that expands them.
save sysfs-dm.txt sh -c 'for it in /sys/block/dm-*; do echo "$it $(cat $it/dm/name) $(cat $it/dm/uuid) $(ls $it/slaves | tr "\n" " ") > $(ls $it/holders | tr "\n" " ")"; done'
save versions.txt sh -c 'uname -a; zfs version; cryptsetup --version; lvm version; mdadm --version; nvme version; smartctl --version'

step bundles
# Signals a program when its log has a line, for nobody knows how long it takes to come there:
# until_said LOG SIGNAL LINE PROGRAM ARGUMENT…
until_said() {
  local log=$out/logs/$1.txt signal=$2 line=$3 n=0 program
  "${@:4}" &
  program=$!
  until grep -q -e "$line" "$log" || ! kill -0 "$program" || [ $((n += 1)) -gt 6000 ]; do sleep 0.1; done
  kill -s "$signal" "$program"
  wait "$program"
}
collect root disko-advise collect -o /tmp/root --duration 20s
collect unmasked disko-advise collect -o /tmp/unmasked --unmasked
collect nobody setpriv --reuid=nobody --regid=nogroup --clear-groups disko-advise collect -o /tmp/nobody
# Not root, and yet all that root may.
collect capable setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=+all --ambient-caps=+all \
  disko-advise collect -o /tmp/capable
collect interrupted until_said interrupted INT '^watching' disko-advise collect -o /tmp/interrupted --duration 600s
collect interrupted-early until_said interrupted-early INT ' lsblk ' disko-advise collect -o /tmp/interrupted-early
collect ended until_said ended KILL ' df ' disko-advise collect -o /tmp/ended

step scrub, and a disk of each mirror away
zpool scrub tank
save zpool-status-scrub.txt zpool status tank
zpool wait -t scrub tank
zpool offline tank "$(by tank1-zfs)"
mdadm -q /dev/md/mirror --fail "$(by right-raid)" && sleep 1
save mdstat-degraded cat /proc/mdstat
save mdadm-detail-degraded.txt mdadm --detail /dev/md/mirror
sleep 5
save zpool-status-degraded.txt zpool status tank
save zpool-list-degraded-Hp.txt zpool list -Hp
collect degraded disko-advise collect -o /tmp/degraded
zpool online tank "$(by tank1-zfs)"
save zpool-status-resilver.txt zpool status tank
mdadm -q /dev/md/mirror --remove "$(by right-raid)"
mdadm --zero-superblock "$(by right-raid)"
echo 5000 > /proc/sys/dev/raid/speed_limit_max
mdadm -q /dev/md/mirror --add "$(by right-raid)" && sleep 1
save mdstat-recovery cat /proc/mdstat
save mdadm-detail-recovery.txt mdadm --detail /dev/md/mirror
echo 1000000 > /proc/sys/dev/raid/speed_limit_max

step wrong bytes
dd if=/dev/urandom of="$(by tank1-zfs)" bs=1M seek=16 count=400 conv=notrunc,nocreat oflag=direct status=none
zpool scrub -w tank
save zpool-status-errors.txt zpool status -v tank
zpool clear tank

step disks that fail
dmesg --clear
timeout 60 dd if="$bad" of=/dev/null bs=4k skip=25000 count=16 iflag=direct
smartctl -j -a "$bad" > "$out/tools/smartctl-a-bad.json"
save dmesg-ata.txt dmesg
save journal-ata.txt journalctl -k -n 60 --no-pager
dmesg --clear
timeout -s KILL 100 fio --output=/dev/null --name=slow --filename="$slow" --rw=randread --bs=4k --iodepth=32 --ioengine=libaio --direct=1 --number_ios=4000 &
sleep 60
save dmesg-nvme.txt dmesg
save journal-nvme.txt journalctl -k -n 60 --no-pager
dmesg --clear
truncate -s 200M /var/tmp/pool.raw
loop=$(losetup -f --show /var/tmp/pool.raw)
size=$(blockdev --getsz "$loop")
echo "0 $size linear $loop 0" | dmsetup create failing
zpool create -f doomed /dev/mapper/failing
echo "0 $size error" | dmsetup reload failing && dmsetup suspend --noflush failing && dmsetup resume failing
timeout -s KILL 20 dd if=/dev/urandom of=/doomed/file bs=1M count=20 conv=fsync status=none &
sleep 15
save dmesg-zfs.txt dmesg
save zpool-status-suspended.txt zpool status
save zpool-list-suspended-Hp.txt zpool list -Hp
step end
chmod -R a+rX "$out"
sync
systemctl poweroff --force --force
