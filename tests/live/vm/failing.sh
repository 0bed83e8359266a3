#!/bin/bash
# Runs inside the machine that `machine.sh … failing` boots: lays out its disks as `../failing/layout.nix` says,
# breaks each layer, gathers bundles and what the tools print of it, and lets disks go and hang at the end.
set -uo pipefail
# shellcheck source=common.sh
. /share/common.sh
# The kernel's log from one moment to another: `since` begins, `log NAME` saves what came.
since() { said=$(dmesg | wc -l); }
log() { save "dmesg-$1.txt" sh -c "dmesg | tail -n +$((said + 1))"; since; }
# Forgets what was read, so that the disks are asked.
forget() { sync; echo 3 > /proc/sys/vm/drop_caches; }
noise() { dd if=/dev/urandom of="$1" bs=1M count="$2" conv=fsync status=none; }
over() { dd if=/dev/urandom of="$1" bs=1M seek="$2" count="$3" conv=notrunc,nocreat oflag=direct status=none; }

step disks
modprobe -a zfs raid1 raid456 xfs btrfs dm-crypt dm-thin-pool
udevadm settle
a=$(disk ZC1AB2CA) b=$(disk ZC1AB2CB) c=$(disk ZC1AB2CC) d=$(disk ZC1AB2CD) e=$(disk WD-WX11A22B3344)
nvme=$(disk S4EWNX0R123456) slow=$(disk SLOWPOKE-9) sata=$(disk WD-WX11A22B5566) scsi=$(disk ZC1EF3GH) virtio=$(disk VIRT-4711)
echo "a $a, b $b, c $c, d $d, e $e, nvme $nvme, slow $slow, sata $sata, scsi $scsi, virtio $virtio" | tee "$out/tools/which.txt"
for it in a b; do part "${!it}" 1 +220M "$it-mirror" FD00; part "${!it}" 2 +300M "$it-tank" BF01; part "${!it}" 3 0 "$it-six" FD00; done
for it in c d; do part "${!it}" 1 +400M "$it-files" 8300; part "${!it}" 2 0 "$it-six" FD00; done
part "$e" 1 +400M e-lvm 8E00; part "$e" 2 +100M e-notes 8300; part "$e" 3 0 e-vault 8300
part "$nvme" 1 0 nvme-scratch BF01
part "$scsi" 1 0 scsi-backup 8300
part "$sata" 1 0 sata-media 8300
udevadm settle
since

step RAID
mdadm --create /dev/md/mirror --run --assume-clean --level=1 --raid-devices=2 --metadata=default --homehost=any "$(by a-mirror)" "$(by b-mirror)"
mdadm --create /dev/md/six --run --assume-clean --level=6 --raid-devices=4 --metadata=default --homehost=any \
  "$(by a-six)" "$(by b-six)" "$(by c-six)" "$(by d-six)"
mirror=/sys/block/$(basename "$(realpath /dev/md/mirror)")/md six=/sys/block/$(basename "$(realpath /dev/md/six)")/md
mkfs.ext4 -q -L mirror /dev/md/mirror && mkdir -p /srv/mirror && mount -o noatime /dev/md/mirror /srv/mirror
mkfs.xfs -q -L six /dev/md/six && mkdir -p /srv/six && mount -o noatime /dev/md/six /srv/six
noise /srv/mirror/file 20; noise /srv/six/file 40
# One half changes behind the array's back.
over "$(by b-mirror)" 150 4
echo 2000 > "$mirror/sync_speed_max"; echo check > "$mirror/sync_action"; sleep 3
save mdstat-check cat /proc/mdstat
save mdadm-detail-check.txt mdadm --detail /dev/md/mirror
echo 1000000 > "$mirror/sync_speed_max"; mdadm --wait /dev/md/mirror
save mismatches.txt grep . "$mirror/mismatch_cnt" "$mirror/last_sync_action" "$mirror/degraded" "$mirror/array_state"
log md-check
mdadm -q /dev/md/mirror --fail "$(by b-mirror)"; mdadm -q /dev/md/six --fail "$(by d-six)"; sleep 1
save mdstat-failed cat /proc/mdstat
save mdadm-detail-failed.txt mdadm --detail /dev/md/mirror /dev/md/six
mdadm -q /dev/md/mirror --remove "$(by b-mirror)"; mdadm -q /dev/md/six --remove "$(by d-six)"; mdadm -q /dev/md/six --fail "$(by c-six)"; sleep 1
save mdstat-removed cat /proc/mdstat
save mdadm-detail-removed.txt mdadm --detail /dev/md/mirror /dev/md/six
# Slow enough that the rest sees the rebuild.
for it in "$mirror" "$six"; do echo 300 > "$it/sync_speed_min"; echo 300 > "$it/sync_speed_max"; done
mdadm --zero-superblock "$(by b-mirror)" "$(by d-six)"
mdadm -q /dev/md/mirror --add "$(by b-mirror)"; mdadm -q /dev/md/six --add "$(by d-six)"; sleep 3
save mdstat-rebuild cat /proc/mdstat
save mdadm-detail-rebuild.txt mdadm --detail /dev/md/mirror /dev/md/six
log md

step OpenZFS: a mirror
zpool create -f -o ashift=12 -O compression=off -O mountpoint=none tank mirror "$(by a-tank)" "$(by b-tank)"
zfs create -o mountpoint=/srv/tank -o recordsize=16K tank/files
noise /srv/tank/file 100
zpool offline tank "$(by b-tank)"
save zpool-status-offline.txt zpool status -v
zpool online tank "$(by b-tank)"; zpool wait -t resilver tank
over "$(by b-tank)" 8 280
# Nothing is read until the scan may go on.
scan() { echo "$1" > /sys/module/zfs/parameters/zfs_scan_suspend_progress; }
scan 1; zpool scrub tank; save zpool-status-scrub.txt zpool status -v tank; scan 0; zpool wait -t scrub tank
save zpool-status-repaired.txt zpool status -v -P
save zpool-status-repaired-p.txt zpool status -p
save zpool-status-repaired-j.json zpool status -j
save zpool-list-v-repaired.txt zpool list -v -H -p
log zfs-repaired
zpool offline -f tank "$(by b-tank)"
save zpool-status-faulted.txt zpool status -v
zpool clear tank; sleep 1; zpool export tank
zpool labelclear -f "$(by b-tank)"; zpool import -d /dev/disk/by-partlabel tank
save zpool-status-unavail.txt zpool status -v -P
save zpool-status-unavail-j.json zpool status -j
gone=$(zpool status -g tank | awk '$2 == "UNAVAIL" { print $1; exit }')
noise /srv/tank/more 5
step OpenZFS: a disk that cannot be read
zpool create -f -o ashift=12 -O compression=off -O mountpoint=/srv/scratch scratch "$(by nvme-scratch)"
noise /srv/scratch/file 200; noise /srv/scratch/other 100
timeout 60 zpool scrub -w scratch
save zpool-status-damaged-short.txt zpool status scratch
save zpool-status-damaged.txt zpool status -v -P scratch
save zpool-status-damaged-j.json zpool status -j -v scratch
save zpool-status-x.txt zpool status -x
save zpool-events.txt zpool events
save zpool-events-v.txt sh -c 'zpool events -v | head -n 150'
log nvme-zfs
# A part is copied, and no more until the machine ends.
scan 1; zpool replace -f tank "$gone" "$(by b-tank)"
save zpool-status-resilver-begins.txt zpool status -v -P tank
echo 20 > /sys/module/zfs/parameters/zfs_resilver_min_time_ms
scan 0; zpool sync tank; scan 1
save zpool-status-resilver.txt zpool status -v -P tank
save zpool-status-resilver-j.json zpool status -j tank
save zpool-list-Hp.txt zpool list -Hp

step btrfs
mkdir -p /srv/files /srv/backup
mkfs.btrfs -q -f -L files -d raid1 -m raid1 "$(by c-files)" "$(by d-files)"
mkfs.btrfs -q -f -L backup -d single -m dup "$(by scsi-backup)"
mount -o noatime "$(by c-files)" /srv/files; mount -o noatime "$(by scsi-backup)" /srv/backup
noise /srv/files/file 120; noise /srv/backup/file 200; noise /srv/backup/other 100
umount /srv/files; over "$(by d-files)" 100 120; forget; mount -o noatime "$(by c-files)" /srv/files
since
cat /srv/files/file > /dev/null
log btrfs-read
for it in files backup; do btrfs scrub start -B "/srv/$it"; save "scrub-status-$it.txt" btrfs scrub status "/srv/$it"; save "scrub-status-R-$it.txt" btrfs scrub status -R "/srv/$it"; done
save scrub-status-d.txt btrfs scrub status -d /srv/files
save device-stats.txt sh -c 'btrfs device stats /srv/files; btrfs device stats /srv/backup'
save device-stats.json btrfs --format json device stats /srv/files
log btrfs-scrub
umount /srv/files; wipefs -q -a "$(by d-files)"; btrfs device scan --forget; mount -o noatime,degraded "$(by c-files)" /srv/files
noise /srv/files/more 10
save btrfs-usage-missing.txt btrfs filesystem usage -b /srv/files
save btrfs-show-missing.txt btrfs filesystem show
save device-stats-missing.txt btrfs device stats /srv/files
log btrfs-missing

step ext4
mkfs.ext4 -q -L notes "$(by e-notes)" && mkdir -p /srv/notes && mount -o noatime "$(by e-notes)" /srv/notes
mkdir /srv/notes/old && cp /etc/services /srv/notes/old && umount /srv/notes
debugfs -w -R 'clri old/services' "$(by e-notes)" 2> /dev/null
mount -o noatime "$(by e-notes)" /srv/notes; ls -l /srv/notes/old > /dev/null; cat /srv/notes/old/services
save tune2fs-l.txt tune2fs -l "$(by e-notes)"
save ext4-errors.txt sh -c 'grep . /sys/fs/ext4/*/*error*'
log ext4
mkfs.ext4 -q -L media "$(by sata-media)" && mkdir -p /srv/media && mount -o noatime "$(by sata-media)" /srv/media
noise /srv/media/file 200; forget; cat /srv/media/file > /dev/null
log ata

step thin
pvcreate -q "$(by e-lvm)" && vgcreate -q pool "$(by e-lvm)"
lvcreate -q -y -L 100M --type thin-pool -n thin pool
lvcreate -q -y -V 300M --thinpool thin -n big pool; lvcreate -q -y -V 100M --thinpool thin -n small pool
lvcreate -q -y -L 60M -n plain pool; lvcreate -q -y -s -L 8M -n before pool/plain
mkfs.ext4 -q -L big /dev/pool/big && mkdir -p /srv/big && mount -o noatime /dev/pool/big /srv/big
dd if=/dev/urandom of=/dev/pool/plain bs=1M count=20 oflag=direct status=none
echo 20 > /sys/module/dm_thin_pool/parameters/no_space_timeout
dd if=/dev/zero of=/srv/big/file bs=1M count=150 conv=fsync status=none & sleep 10
for it in lvs vgs; do save "$it-full.json" "$it" --nolocking -a --units b --reportformat json; done
save lvs-full-o.json lvs -a --units b -o +lv_health_status,lv_when_full,data_percent,metadata_percent,snap_percent --reportformat json
save lvs-full.txt lvs -a
save dmsetup-status.txt dmsetup status
sleep 15
save lvs-full-after.json lvs -a --units b --reportformat json
log thin

step more disks that fail
timeout 60 dd if="$virtio" of=/dev/null bs=4k skip=25000 count=16 iflag=direct
timeout 60 dd if=/dev/zero of="$virtio" bs=4k seek=37504 count=1 oflag=direct
log virtio-blk
timeout 60 dd if=/dev/zero of="$sata" bs=4k seek=37504 count=1 oflag=direct
log ata-write
timeout 60 dd if="$scsi" of=/dev/null bs=4k skip=25000 count=16 iflag=direct
timeout 60 dd if=/dev/zero of="$scsi" bs=4k seek=37504 count=1 oflag=direct
log scsi
timeout 60 dd if="$nvme" of=/dev/null bs=4k skip=25000 count=16 iflag=direct
save nvme-smart-log.json nvme smart-log -o json "$nvme"
save nvme-error-log.txt sh -c "nvme error-log -e 4 $nvme"
for it in nvme sata scsi; do save "smartctl-x-$it.json" smartctl -x -j "${!it}"; done
log nvme
save journal.txt journalctl -k -p warning -n 40 --no-pager

step a bundle
save versions.txt sh -c 'uname -a; zfs version; lvm version; mdadm --version; btrfs --version; nvme version; smartctl --version'
collect failing disko-advise collect -o /tmp/failing

step disks that go
since
echo 1 > "/sys/block/${d##*/}/device/delete"; echo 1 > "/sys/block/${b##*/}/device/delete"; sleep 2
noise /srv/six/more 5; noise /srv/tank/again 2; noise /srv/mirror/more 5; sleep 5
log removed
save mdstat-gone cat /proc/mdstat
save mdadm-detail-gone.txt mdadm --detail "/dev/$(basename "${mirror%/md}")" "/dev/$(basename "${six%/md}")"
save zpool-status-removed.txt zpool status -v -P tank

step a pool and a volume that hang
since; head -c 64 /dev/urandom > /run/key
# No rule of udev's is waited for, which may look at a disk that hangs.
export DM_DISABLE_UDEV=1
dmsetup create below --table "0 $(blockdev --getsz "$(by e-vault)") linear $(by e-vault) 0"
luks /dev/mapper/below vault
mkfs.ext4 -q -L vault /dev/mapper/vault && mkdir -p /srv/vault && mount -o noatime /dev/mapper/vault /srv/vault
truncate -s 200M /var/tmp/pool.raw
loop=$(losetup -f --show /var/tmp/pool.raw) size=$((200 * 2048))
dmsetup create failing --table "0 $size linear $loop 0"
zpool create -f doomed /dev/mapper/failing
dmsetup suspend --nolockfs below
dmsetup reload failing --table "0 $size error" && dmsetup suspend --noflush failing && dmsetup resume failing
timeout -s KILL 20 dd if=/dev/urandom of=/doomed/file bs=1M count=20 conv=fsync status=none &
sleep 10
log zfs-suspended
save zpool-status-suspended.txt timeout -s KILL 20 zpool status -v
save zpool-list-suspended-Hp.txt timeout -s KILL 20 zpool list -Hp
step a bundle of what hangs
collect hanging timeout -s KILL 1200 disko-advise collect -o /tmp/hanging --duration 5s
save stuck.txt sh -c "ps -eo stat,pid,ppid,etimes,wchan:32,args | awk '\$1 ~ /^(D|Z|STAT)/'"
step a disk that does not answer
since
timeout -s KILL 100 fio --output=/dev/null --name=slow --filename="$slow" --rw=randread --bs=4k --iodepth=32 --ioengine=libaio --direct=1 --number_ios=4000 &
sleep 60
log nvme-timeout

end
