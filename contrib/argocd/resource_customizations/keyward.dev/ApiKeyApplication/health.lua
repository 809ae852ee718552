-- Ready: what the form asks for is decided and in force. Stalled: its owner has to put something right.
-- Suspended is what waits for a decision or a date, and what ended because it was meant to.
local suspended = {
  Draft = "Waiting for the applicant",
  Withdrawn = "Waiting for the applicant",
  NotYetEffective = "Waiting for the first day",
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

-- Whoever may approve in the store of the form.
local function reviewers()
  local store = "ClusterKeyStore 'default'"
  if obj.spec ~= nil and obj.spec.storeRef ~= nil then
    store = obj.spec.storeRef.kind .. " '" .. obj.spec.storeRef.name .. "'"
  end
  local since = ""
  if obj.status.round ~= nil and obj.status.round.submittedTime ~= nil then
    since = " since " .. obj.status.round.submittedTime
  end
  return "Waiting for a reviewer of " .. store .. since
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
if ready.reason == "PendingReview" then
  return health("Suspended", reviewers(), ready.message)
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
local soon = condition("ExpiringSoon")
if soon ~= nil then
  text = text .. "; " .. soon.reason .. ": " .. soon.message
end
return health("Healthy", text)
