#!/bin/bash
# Runs inside the Vagrant machine: the SDK, GridAppliance from /vagrant, and a configuration for the private network.
set -euo pipefail
address=$1
interface=$(ip -o -4 address show to "$address" | awk '{ print $2; exit }')
[[ -n $interface ]] || { echo "no interface has $address: is the private network attached?" >&2; exit 1; }

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -qy --no-install-recommends ca-certificates curl git make socat libicu72
if ! command -v dotnet >/dev/null; then
  curl -fsSL https://dot.net/v1/dotnet-install.sh -o /tmp/dotnet-install.sh
  bash /tmp/dotnet-install.sh --channel 10.0 --install-dir /usr/share/dotnet
  ln -sfn /usr/share/dotnet/dotnet /usr/bin/dotnet
fi

make -C /vagrant install PROFILE=metal
sed -e "s/^name: .*/name: vagrant/" -e "s/interface: eth1/interface: $interface/" -e "s|address: 10.77.0.1/24|address: $address/24|" \
  /vagrant/systemd/appliance.yaml > /etc/gridappliance/appliance.yaml
gridappliance check
systemctl enable --now gridappliance
usermod -aG gridappliance vagrant

# The page answers on this machine's loopback only. Vagrant forwards to the address on its own network, so a relay listens there, and there alone: not where nodes boot.
outside=$(ip -4 -o route get 192.0.2.1 | sed -nE 's/.* src ([0-9.]+).*/\1/p')
[[ -n $outside && $outside != "$address" ]] || { echo "no address but the private network's: the page is not forwarded" >&2; exit 0; }
cat > /etc/systemd/system/status-page-relay.service <<UNIT
[Unit]
Description=Status page for Vagrant's forwarded port
[Service]
DynamicUser=yes
ExecStart=/usr/bin/socat TCP-LISTEN:8081,bind=$outside,fork,reuseaddr TCP:127.0.0.1:8080
[Install]
WantedBy=multi-user.target
UNIT
systemctl enable --now status-page-relay
gridctl status
