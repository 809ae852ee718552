-- Ready: keys can be asked for on the client's behalf, and work. Stalled: it was ended for good.
-- Suspended is what waits for a reviewer, and what was switched off.
local suspended = {
  PendingReview = "Waiting for a reviewer",
  Suspended = "Switched off",
}

local function condition(type)
  if obj.status ~= nil and obj.status.conditions ~= nil then
    for _, found in ipairs(obj.status.conditions) do
      if found.type == type then
        return found
      end
    end
  end
  return nil
end

local function health(status, text, more)
  if more ~= nil and more ~= "" then
    text = text .. ": " .. more
  end
  return { status = status, message = text }
end

local ready = condition("Ready")
if ready == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "Waiting for the operator")
end
if condition("Stalled") ~= nil then
  return health("Degraded", ready.reason, ready.message)
end
local reconciling = condition("Reconciling")
if reconciling ~= nil then
  return health("Progressing", ready.reason, reconciling.message)
end
if suspended[ready.reason] ~= nil then
  return health("Suspended", suspended[ready.reason], ready.message)
end
if ready.status ~= "True" then
  return health("Progressing", ready.reason, ready.message)
end
return health("Healthy", ready.reason, ready.message)
