# shellcheck shell=bash
# What the scripts that run inside the machine share.
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
out=/share/out
rm -rf "$out" && mkdir -p "$out/tools" "$out/logs"
exec > >(tee "$out/logs/inside.txt") 2>&1
step() { echo "== $(cut -d' ' -f1 /proc/uptime) $*"; }
# Saves what a program prints: save FILE PROGRAM ARGUMENT…
save() { local file=$out/tools/$1; shift; "$@" > "$file" 2> "$file.err" || echo "status $?: $*"; [ -s "$file.err" ] || rm -f "$file.err"; }
wait_for() { local n=0; until [ -e "$1" ] || [ $((n += 1)) -gt 100 ]; do sleep 0.1; done; }
# The disk with this serial number: names of SCSI and ATA disks come in any order.
disk() { lsblk -dnpo NAME,SERIAL | awk -v serial="$1" '$2 == serial { print $1 }'; }
# Makes a partition and waits until the kernel and udev know it: a disk that is looked at is not read again.
part() {
  sgdisk --align-end --new="$2:0:$3" --change-name="$2:disk-$4" --typecode="$2:$5" "$1" > /dev/null
  partx -u "$1"; udevadm settle
}
by() { wait_for "/dev/disk/by-partlabel/disk-$1"; echo "/dev/disk/by-partlabel/disk-$1"; }
luks() { cryptsetup -q luksFormat --pbkdf-memory 65536 --iter-time 100 "$1" /run/key "${@:3}" && cryptsetup open --key-file /run/key --allow-discards "$1" "$2"; }
umask 022
install -m 755 /share/disko-advise /usr/local/bin/disko-advise
# Gathers a bundle and keeps it: collect NAME PROGRAM ARGUMENT…, which leaves /tmp/NAME.
collect() { local name=$1; shift; "$@" > "$out/logs/$name.txt" 2>&1; echo "$name: status $?"; tail -n 6 "$out/logs/$name.txt"; cp -r "/tmp/$name" "$out/"; }
# Ends the machine without waiting for what cannot be written.
end() { step end; chmod -R a+rX "$out"; echo o > /proc/sysrq-trigger; sleep 60; }
