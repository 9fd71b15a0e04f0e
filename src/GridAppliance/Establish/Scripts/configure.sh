LC_ALL=C; export LC_ALL; umask 077
read -r operation && read -r url && read -r key && read -r token && read -r mac || exit 64
conf=/etc/grid/agent.conf unit=/etc/systemd/system/grid-agent.service run=/usr/local/bin/grid-run
if [ -f $conf ] && ! grep -qx "grid\.key=$key" $conf; then echo "problem=it belongs to another appliance"; exit 1; fi
mkdir -p /etc/grid /var/lib/grid && chmod 700 /etc/grid && chmod 755 /var/lib/grid || exit 73
cat > $run.new <<"END" || exit 73
@grid-run@
END
cat > $unit.new <<"END" || exit 73
# Put here by GridAppliance; `systemctl disable --now grid-agent` takes this machine out of its hands.
[Unit]
Description=GridAppliance agent
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/local/bin/grid-agent
Restart=always
RestartSec=2
# Modules go on while the agent is replaced or started anew.
KillMode=process
UMask=0077
RuntimeDirectory=grid-agent
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes

[Install]
WantedBy=multi-user.target
END
printf "# established by operation %s\ngrid.url=%s\ngrid.key=%s\ngrid.token=%s\ngrid.mac=%s\n" "$operation" "$url" "$key" "$token" "$mac" > $conf.new || exit 73
chmod 755 $run.new && chmod 644 $unit.new && chmod 600 $conf.new && mv -f $run.new $run && mv -f $unit.new $unit && mv -f $conf.new $conf && sync || exit 73
# Who it was to an appliance that has forgotten it is of no use any more; a token for another appliance would have been refused above.
rm -f /var/lib/grid/identity/enrolment.json
command -v restorecon >/dev/null && restorecon $run $unit $conf
systemctl daemon-reload && systemctl enable grid-agent && systemctl restart grid-agent || { echo "problem=systemd did not start it"; exit 69; }
echo "done=1"
