-- Ready: the value in the Secret works now. Stalled: nothing changes until a person acts.
-- Suspended is what waits for a decision or a date, and what is off because it was meant to be.
local suspended = {
  PendingReview = "Waiting for a reviewer",
  ApplicationNotSubmitted = "Waiting for the applicant",
  NotYetValid = "Waiting for the first day",
  Suspended = "Switched off",
  Revoked = "Ended for good",
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

local text = ready.reason
if ready.message ~= nil and ready.message ~= "" then
  text = text .. ": " .. ready.message
end
-- What does not stop the key from working, and is good to know all the same.
for _, type in ipairs({ "ExpiringSoon", "StoreSynced", "Rotating", "WorkloadsRestarted" }) do
  local found = condition(type)
  if found ~= nil and found.message ~= ready.message then
    text = text .. "; " .. found.reason .. ": " .. found.message
  end
end
return health("Healthy", text)
