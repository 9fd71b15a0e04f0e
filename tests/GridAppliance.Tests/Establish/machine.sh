#!/bin/bash
# machine.sh FOLDER ID LISTEN BIND...: a machine with an operating system of its own, for tests. Runs as the first process of a mount, PID and network namespace: the root is this
# machine's, under an overlay in memory, so that what is installed there is gone with it. sshd, sudo and the shell are the real ones; systemd is a script that does what ours asks of it.
set -euo pipefail
folder=$1 id=$2 listen=$3; shift 3
mount --make-rprivate /
root=$folder/root
mkdir -p "$folder"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
for bind in "$@"; do mkdir -p "$root$bind"; mount --bind "$bind" "$root$bind"; done
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/sshd" "$root/run/systemd/system"
rm -rf "$root/etc/grid" "$root/var/lib/grid" "$root/usr/local/bin/grid-agent"
printf '%s\n' "$id" > "$root/etc/machine-id"
printf '127.0.0.1 localhost %s\n' "$(hostname)" > "$root/etc/hosts"
# Does what grid-agent's unit asks of systemd, and says what it was asked.
cat > "$root/usr/bin/systemctl" <<'END'
#!/bin/sh
echo "$@" >> /run/systemctl.log
stop() { [ ! -f /run/agent.pid ] || kill "$(cat /run/agent.pid)" 2>/dev/null; rm -f /run/agent.pid; }
case $1 in
  is-active) [ -f /run/agent.pid ] && kill -0 "$(cat /run/agent.pid)" 2>/dev/null && echo active || { echo inactive; exit 3; } ;;
  restart) stop; mkdir -p /run/grid-agent
    program=$(sed -n 's/^ExecStart=//p' /etc/systemd/system/grid-agent.service)
    setsid "$program" > /run/agent.log 2>&1 < /dev/null & echo $! > /run/agent.pid ;;
  disable) stop ;;
esac
END
printf '#!/bin/sh\ntail -n 1 /run/agent.log\n' > "$root/usr/bin/journalctl"
chmod 755 "$root"/usr/bin/{systemctl,journalctl}
for account in admin free guest; do
  chroot "$root" /usr/sbin/useradd -m -s /bin/bash "$account"
  chroot "$root" /usr/sbin/chpasswd <<< "$account:$account-Pass word'1"
done
printf 'admin ALL=(ALL:ALL) ALL\nfree ALL=(ALL:ALL) NOPASSWD: ALL\n' > "$root/etc/sudoers.d/test"; chmod 440 "$root/etc/sudoers.d/test"
for home in "$root/root" "$root/home/free"; do mkdir -p "$home/.ssh"; cp "$folder/key.pub" "$home/.ssh/authorized_keys"; done
[[ ! -f $folder/prepare ]] || chroot "$root" /bin/bash -e < "$folder/prepare"
[[ -f $folder/hostkey ]] || ssh-keygen -q -t ed25519 -N '' -C test -f "$folder/hostkey"
cp "$folder"/hostkey "$root/etc/ssh/test_key"; chmod 600 "$root/etc/ssh/test_key"
cat > "$root/etc/ssh/test_config" <<END
ListenAddress $listen
HostKey /etc/ssh/test_key
PidFile none
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
MaxStartups 100
LogLevel INFO
END
exec chroot "$root" /usr/sbin/sshd -D -e -f /etc/ssh/test_config
