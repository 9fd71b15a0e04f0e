#!/bin/bash
# A machine's disk with a Debian that is none of ours, as somebody would have installed it: build-debian-machine.sh OUTPUT CACHE
# Its own kernel and initramfs, systemd, sshd, and the user debian, who has a key and needs a password for sudo. OUTPUT gets disk.img (ext4, sparse), vmlinuz, initrd.img, key, and the password in sudo.
set -euo pipefail
export LC_ALL=C
umask 022
output=$(realpath -m "$1") archives=$(realpath -m "$2")/debian-archives
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite=bookworm size=2G
[[ ! -f $output/disk.img || $output/disk.img -ot $0 ]] || exit 0
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$archives" "$output"
rm -f "$output"/*
password=letmein
echo $password > "$work/sudo"
ssh-keygen -q -t ed25519 -N '' -C test -f "$work/key"
"$here/../../../firmware-images/debian-sources.sh" $suite > "$work/sources.list"
printf '[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\n[DHCPv4]\nUseDomains=no\n' > "$work/10-dhcp.network"
echo "machine: a Debian $suite of its own"
mmdebstrap --quiet --variant=minbase --format=directory --include=systemd-sysv,dbus,udev,kmod,iproute2,procps,openssh-server,sudo,linux-image-cloud-amd64,initramfs-tools --skip=essential/unlink \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --aptopt='Acquire::Languages "none"' --aptopt='APT::Sandbox::User "root"' \
  --setup-hook='mkdir -p "$1/var/cache/apt/archives"' --setup-hook="sync-in $archives /var/cache/apt/archives" \
  --customize-hook="sync-out /var/cache/apt/archives $archives" --customize-hook='rm -rf "$1"/var/cache/apt/archives/*.deb' \
  --customize-hook="useradd --root \"\$1\" -m -s /bin/bash debian && echo debian:$password | chpasswd --root \"\$1\" && echo 'debian ALL=(ALL) ALL' > \"\$1/etc/sudoers.d/debian\"" \
  --customize-hook='mkdir -p "$1/home/debian/.ssh" && chmod 700 "$1/home/debian/.ssh"' --customize-hook="copy-in $work/key.pub /home/debian/.ssh" \
  --customize-hook='mv "$1/home/debian/.ssh/key.pub" "$1/home/debian/.ssh/authorized_keys" && chroot "$1" chown -R debian:debian /home/debian/.ssh' \
  --customize-hook="copy-in $work/10-dhcp.network /etc/systemd/network" --customize-hook='systemctl --quiet --root "$1" enable systemd-networkd' \
  --customize-hook='echo own-system > "$1/etc/hostname"; printf "127.0.0.1 localhost\n127.0.1.1 own-system\n" > "$1/etc/hosts"; echo "/dev/vda / ext4 defaults 0 1" > "$1/etc/fstab"; : > "$1/etc/machine-id"' \
  "$suite" "$work/root" "$work/sources.list"
cp "$work"/root/boot/vmlinuz-* "$work/vmlinuz"; cp "$work"/root/boot/initrd.img-* "$work/initrd.img"
truncate -s "$size" "$work/disk.img"
mke2fs -q -t ext4 -d "$work/root" "$work/disk.img"
# The disk goes last: with it the folder is whole.
for name in key sudo vmlinuz initrd.img disk.img; do cp --sparse=always "$work/$name" "$output/.new"; mv "$output/.new" "$output/$name"; done
