LC_ALL=C; export LC_ALL; umask 077
echo "uid=$(id -u)"
echo "digest=$(sha256sum 2>/dev/null < /usr/local/bin/grid-agent | cut -d" " -f1)"
[ -f /etc/grid/agent.conf ] && sed -n -e "s/^grid\.key=/key=/p" -e "s/^grid\.url=/url=/p" -e "s/^grid\.mac=/mac=/p" /etc/grid/agent.conf
echo "active=$(systemctl is-active grid-agent 2>/dev/null)"
if grep -q "grid\.key=" /proc/cmdline 2>/dev/null && [ ! -f /etc/grid/agent.conf ] && [ -e /run/grid-agent ]; then echo "booted=1"; fi
exit 0
