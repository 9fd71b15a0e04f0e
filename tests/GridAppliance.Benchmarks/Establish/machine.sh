#!/bin/bash
# machine.sh FOLDER ID FAULT: a machine that has an operating system, one of hundreds. Runs as the first process of a mount, PID and network namespace: the root is this machine's, under an
# overlay in FOLDER. sshd and the shell are the real ones; what stands for systemd leaves a file when it is to start the agent, and who measures plays the agent.
set -euo pipefail
folder=$1 id=$2 fault=$3
mount --make-rprivate /
root=$folder/root
mkdir -p "$folder"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/sshd" "$root/run/systemd/system" "$root/root/.ssh"
rm -rf "$root/etc/grid" "$root/var/lib/grid" "$root/usr/local/bin/grid-agent"
printf '%s\n' "$id" > "$root/etc/machine-id"
# A shell that starts as Debian has it: what the owner of this machine has put into his own may take longer than all the rest.
cp /etc/skel/.bashrc /etc/skel/.profile "$root/root/"
cp "$folder/../key.pub" "$root/root/.ssh/authorized_keys"
cat > "$root/usr/bin/systemctl" <<'END'
#!/bin/sh
case $1 in
  is-active) [ -f /agent-started ] && echo active || { echo inactive; exit 3; } ;;
  restart) touch /agent-started ;;
  disable) rm -f /agent-started ;;
esac
END
chmod 755 "$root/usr/bin/systemctl"
# What is wrong with it, by the step at which that shows.
case $fault in
  door) : > "$root/root/.ssh/authorized_keys" ;;
  theirs) mkdir -p "$root/etc/grid"; printf 'grid.url=http://10.9.9.9:8067\ngrid.key=%064d\n' 1 > "$root/etc/grid/agent.conf" ;;
  copy) printf '#!/bin/sh\ncase $* in *.grid-agent.new) echo "sync: Input/output error" >&2; exit 1;; esac\n' > "$root/usr/bin/sync" ;;
  service) printf '#!/bin/sh\n[ "$1" = is-active ] && { echo inactive; exit 3; }\necho "Failed to connect to bus" >&2; exit 1\n' > "$root/usr/bin/systemctl" ;;
  silent) exec sleep infinity ;;
esac
[[ -f $folder/hostkey ]] || ssh-keygen -q -t ed25519 -N '' -C machine -f "$folder/hostkey"
cp "$folder/hostkey" "$root/etc/ssh/test_key"; chmod 600 "$root/etc/ssh/test_key"
printf '%s\n' 'Port 22' 'HostKey /etc/ssh/test_key' 'PidFile none' 'StrictModes no' 'PermitRootLogin prohibit-password' 'UsePAM no' 'MaxStartups 100' 'LogLevel ERROR' > "$root/etc/ssh/test_config"
exec chroot "$root" /usr/sbin/sshd -D -e -f /etc/ssh/test_config
