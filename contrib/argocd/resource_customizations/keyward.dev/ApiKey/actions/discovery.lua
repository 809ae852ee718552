local actions = {
  rotate = { disabled = true, iconClass = "fa fa-fw fa-sync", displayName = "Make new values" },
  suspend = { disabled = true, iconClass = "fa fa-fw fa-pause", displayName = "Switch off" },
  resume = { disabled = true, iconClass = "fa fa-fw fa-play", displayName = "Switch on again" },
}

local ready = nil
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, found in ipairs(obj.status.conditions) do
    if found.type == "Ready" then
      ready = found
    end
  end
end
local state = "Active"
if obj.spec ~= nil and obj.spec.state ~= nil then
  state = obj.spec.state
end

-- The values of a key that came of a form are renewed in its form, where reviewers may have to agree.
local isGranted = obj.spec ~= nil and obj.spec.applicationRef ~= nil
local isLive = ready ~= nil and (ready.status == "True" or ready.reason == "SecretLost")
if isLive and state == "Active" and not isGranted then
  actions["rotate"].disabled = false
end
-- What a reviewer switched off stays off, so only the object's own wish is offered.
if state == "Active" then
  actions["suspend"].disabled = false
end
if state == "Suspended" then
  actions["resume"].disabled = false
end
return actions
