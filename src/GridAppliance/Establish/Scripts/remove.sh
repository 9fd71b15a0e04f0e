LC_ALL=C; export LC_ALL
read -r operation || exit 64
conf=/etc/grid/agent.conf
rm -f /usr/local/bin/.grid-agent.new
if [ -f $conf ] && ! grep -qx "# established by operation $operation" $conf; then echo "done=another"; exit 0; fi
if [ -f $conf ]; then
  systemctl disable --now grid-agent
  rm -f /etc/systemd/system/grid-agent.service
  systemctl daemon-reload
fi >/dev/null 2>&1
rm -rf /usr/local/bin/grid-agent /usr/local/bin/grid-run /var/lib/grid/identity
rm -f $conf; rmdir /etc/grid /var/lib/grid 2>/dev/null
echo "done=1"
