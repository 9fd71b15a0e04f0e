LC_ALL=C; export LC_ALL
echo "active=$(systemctl is-active grid-agent 2>/dev/null)"
echo "said=$(journalctl -u grid-agent -n 1 -o cat --no-pager 2>/dev/null | tail -n 1)"
exit 0
