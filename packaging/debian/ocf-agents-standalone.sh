
# resource-agents has the same unit as /lib/systemd/system/..., which dpkg takes for another file:
# when resource-agents goes while this package comes, ours goes with it.
unit=/usr/lib/systemd/system/resource-agents-deps.target
if [ "$script" = postinst ] && ! [ -e $unit ]; then
    cp -p /usr/share/ocf-agents-standalone/resource-agents-deps.target $unit.new
    mv -fT $unit.new $unit
fi
if [ -d /run/systemd/system ]; then systemctl --system daemon-reload >/dev/null || true; fi
