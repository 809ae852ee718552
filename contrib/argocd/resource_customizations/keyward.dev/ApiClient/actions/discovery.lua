local actions = {
  suspend = { disabled = true, iconClass = "fa fa-fw fa-pause", displayName = "Switch all keys off" },
  resume = { disabled = true, iconClass = "fa fa-fw fa-play", displayName = "Switch keys on again" },
}

local state = "Active"
if obj.spec ~= nil and obj.spec.state ~= nil then
  state = obj.spec.state
end
-- What a reviewer switched off stays off, so only the object's own wish is offered.
if state == "Active" then
  actions["suspend"].disabled = false
end
if state == "Suspended" then
  actions["resume"].disabled = false
end
return actions
