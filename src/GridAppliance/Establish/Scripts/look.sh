LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/sbin:/sbin
echo "look=1"
echo "arch=$(uname -m)"
echo "machine=$(cat /etc/machine-id 2>/dev/null)"
echo "libc=$(getconf GNU_LIBC_VERSION 2>/dev/null)"
sed -n -e "s/^ID=/id=/p" -e "s/^ID_LIKE=/like=/p" -e "s/^PRETTY_NAME=/system=/p" /etc/os-release 2>/dev/null
[ ! -d /run/systemd/system ] || echo "systemd=1"
if [ "$(id -u)" = 0 ]; then echo "rights=root"
elif ! command -v sudo >/dev/null; then echo "rights=none"
elif sudo -n true 2>/dev/null; then echo "rights=free"
else echo "rights=asked"; fi
for place in /usr/local/bin /var/lib /etc; do
  df -Pk "$place" 2>/dev/null | { read -r header; read -r device blocks used free rest && echo "free=$place $free"; }
done
while read -r address port; do
  if command -v bash >/dev/null && timeout 4 bash -c "exec 3<>/dev/tcp/\$0/\$1" "$address" "$port" 2>/dev/null; then
    source= device=
    set -- $(ip -o -4 route get "$address" 2>/dev/null)
    while [ $# -gt 1 ]; do case $1 in src) source=$2 ;; dev) device=$2 ;; esac; shift; done
    # Its own address: this is the appliance's machine. Whose NIC that is, not the loop.
    if [ "$device" = lo ]; then device=$(ip -o -4 address show to "$address" | { read -r number name rest; echo "${name%%@*}"; }); fi
    echo "reach=$address $source $(cat "/sys/class/net/$device/address" 2>/dev/null)"
  fi
done
# An account that is root sees the rest in the same breath.
[ "$(id -u)" = 0 ] || exit 0
@whose@
