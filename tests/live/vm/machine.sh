#!/usr/bin/env bash
# Makes the virtual machine of which `tests/live/every-layer` and `tests/live/failing` are bundles, and runs
# `inside.sh` in it, or `failing.sh` on other disks.
#
#   tests/live/vm/machine.sh FOLDER PROGRAM [failing]
#
# FOLDER gets the machine: some 6 GB, to be reused by later runs. PROGRAM is the `disko-advise` to try,
# which must run on Debian 12. What the machine leaves is in FOLDER/share/out.
# Needs root, debootstrap, qemu-system-x86_64 and e2fsprogs; MIRROR names a mirror of Debian.
set -euo pipefail
[ $# = 2 ] || [ "$#${3:-}" = 3failing ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$2")
mkdir -p "$1"
cd "$1"
mirror=${MIRROR:?name a mirror of Debian}
kernel=6.1.0-56-amd64

if [ ! -e root/.complete ]; then
  [ -e root/etc/debian_version ] || debootstrap --variant=minbase --components=main,contrib \
    --include=systemd-sysv,udev,dbus,kmod,iproute2,procps,ca-certificates bookworm root "$mirror"
  cat > root/etc/apt/sources.list <<SOURCES
deb $mirror bookworm main contrib
deb $mirror bookworm-updates main contrib
deb $mirror bookworm-backports main contrib
deb $mirror-security bookworm-security main
SOURCES
  echo 'APT::Install-Recommends "0";' > root/etc/apt/apt.conf.d/99small
  # Nothing is started while it is installed.
  printf '#!/bin/sh\nexit 101\n' > root/usr/sbin/policy-rc.d
  chmod +x root/usr/sbin/policy-rc.d
  export DEBIAN_FRONTEND=noninteractive
  chroot root apt-get update
  chroot root apt-get install -y initramfs-tools "linux-image-$kernel" "linux-headers-$kernel" linux-headers-amd64
  chroot root apt-get install -y cryptsetup-bin lvm2 thin-provisioning-tools mdadm nvme-cli smartmontools \
    xfsprogs btrfs-progs e2fsprogs dosfstools gdisk parted fio sysstat redis-server redis-tools postgresql-15 \
    python3 hdparm pciutils
  # OpenZFS is compiled here; it takes some minutes.
  chroot root apt-get install -y -t bookworm-backports zfs-dkms zfsutils-linux
  touch root/.complete
fi

if [ ! -e system.raw ]; then
  echo lighthouse-7 > root/etc/hostname
  echo '127.0.0.1 localhost lighthouse-7' > root/etc/hosts
  echo '/dev/vda / ext4 noatime 0 1' > root/etc/fstab
  # What uses the pools is started by hand, when they are there.
  for unit in postgresql redis-server; do chroot root systemctl disable "$unit" >/dev/null 2>&1; done
  mkdir -p root/share
  cat > root/etc/systemd/system/inside.service <<UNIT
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'modprobe 9pnet_virtio && mount -t 9p -o trans=virtio,version=9p2000.L share /share && exec /share/inside.sh'
StandardOutput=journal+console
StandardError=journal+console
SuccessAction=poweroff
FailureAction=poweroff
[Install]
WantedBy=multi-user.target
UNIT
  chroot root systemctl enable inside.service
  mkdir -p empty
  truncate -s 5G system.raw
  mount --bind root empty
  # The build of the module and what was downloaded need not be there.
  rm -rf root/var/cache/apt/archives/*.deb root/var/lib/dkms/zfs/*/build
  mkfs.ext4 -q -L system -d empty system.raw
  umount empty
fi

disk() { rm -f "$1.raw"; truncate -s "$2" "$1.raw"; }
file() { echo "file=$1.raw,format=raw,if=none,id=$1,cache=unsafe,discard=unmap"; }
# A disk with sectors that cannot be read (`bad`), and one with a sector that cannot be written too (`worse`).
faulty() { echo "file=blkdebug:${2:-worse}.blkdebug:$1.raw,format=raw,if=none,id=$1,rerror=report,werror=report"; }
bad() { printf '[inject-error]\nevent = "none"\niotype = "%s"\nerrno = "5"\nsector = "%s"\n' "$@"; }
bad read 120064 read 200064 read 260096 read 340096 > bad.blkdebug
{ cat bad.blkdebug; bad write 300032; } > worse.blkdebug
# One that does not answer in time.
slow() { echo "file=$1.raw,format=raw,if=none,id=$1,throttling.iops-total=1,throttling.iops-total-max=100,throttling.iops-total-max-length=20"; }
disk slow 256M
scsi() { devices+=(-drive "$2" -device "scsi-hd,bus=scsi.0,drive=$1,serial=$3,wwn=$4,rotation_rate=7200"); }
ide() { devices+=(-drive "$2" -device "ide-hd,bus=$3,drive=$1,serial=$4,wwn=$5,rotation_rate=5400"); }
nvme() { devices+=(-drive "$2" -device "nvme,drive=$1,serial=$3,logical_block_size=${4:-512},physical_block_size=4096"); }
devices=(-device "virtio-scsi-pci,id=scsi")
nvme slow "$(slow slow)" SLOWPOKE-9
if [ "${3:-}" = failing ]; then
  inside=failing.sh
  for it in a b c d; do disk "$it" 1G; scsi "$it" "$(file "$it")" "ZC1AB2C${it^^}" "0x5000c500a1b2c3d${it}"; done
  disk e 768M; ide e "$(file e)" ide.0 WD-WX11A22B3344 0x50014ee2b1c2d3e4
  disk media 512M; ide media "$(faulty media)" ide.1 WD-WX11A22B5566 0x50014ee2b1c2d3e5
  disk backup 512M; scsi backup "$(faulty backup)" ZC1EF3GH 0x5000c500a1b2c3de
  disk scratch 512M; nvme scratch "$(faulty scratch bad)" S4EWNX0R123456
  disk spare 512M; devices+=(-drive "$(faulty spare)" -device "virtio-blk-pci,drive=spare,serial=VIRT-4711")
else
  inside=inside.sh
  disk fast 4G; nvme fast "$(file fast)" S4EWNX0R123456
  disk helper 4G; nvme helper "$(file helper)" PHKS7335001X 4096
  disk left 1500M; scsi left "$(file left)" ZC1AB2CD 0x5000c500a1b2c3d4
  disk right 1500M; scsi right "$(file right)" ZC1EF3GH 0x5000c500a1b2c3d5
  disk tank0 2G; ide tank0 "$(file tank0)" ide.0 WD-WX11A22B3344 0x50014ee2b1c2d3e4
  disk tank1 2G; ide tank1 "$(file tank1)" ide.1 WD-WX11A22B5566 0x50014ee2b1c2d3e5
  disk bad 256M; ide bad "$(faulty bad)" ide.2 BADBAD-123 0x50014ee2b1c2d3e6
fi

mkdir -p share/out
install -m 755 "$here/common.sh" share/common.sh
install -m 755 "$here/$inside" share/inside.sh
install -m 755 "$program" share/disko-advise
# In a virtual machine, /dev/kvm may be there and of no use: ACCEL=tcg is slower and runs anywhere.
accel=${ACCEL:-tcg}
[ -n "${ACCEL:-}" ] || [ ! -w /dev/kvm ] || accel=kvm:tcg
qemu-system-x86_64 -machine q35,accel="$accel" -cpu max,arch-capabilities=off -smp 2 -m 2560 -display none -no-reboot \
  -smbios type=1,serial=CHASSIS-77-4711,uuid=3f0b7e52-9c1d-4a6e-8b2f-5d7c90a1e264 \
  -kernel "root/boot/vmlinuz-$kernel" -initrd "root/boot/initrd.img-$kernel" \
  -append "root=/dev/vda rootfstype=ext4 rw console=ttyS0 log_buf_len=1M nvme_core.io_timeout=4 nowatchdog systemd.mask=systemd-udev-settle.service ${APPEND:-}" \
  -serial file:console.log \
  -netdev user,id=net -device virtio-net-pci,netdev=net,mac=52:54:00:c0:ff:ee \
  -virtfs local,path=share,mount_tag=share,security_model=none \
  -drive "$(file system),snapshot=on" -device virtio-blk-pci,drive=system,serial=VIRT-0815 \
  "${devices[@]}"
ls share/out
