-- Ready: keys can be issued here now. A store that does not answer is Degraded, although the operator
-- keeps trying: its keys stay Healthy, so this is where people see it.
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
if condition("Stalled") ~= nil or ready.reason == "ConnectionFailed" then
  return health("Degraded", ready.reason, ready.message)
end
local reconciling = condition("Reconciling")
if reconciling ~= nil then
  return health("Progressing", ready.reason, reconciling.message)
end
if ready.status ~= "True" then
  return health("Progressing", ready.reason, ready.message)
end

local text = ready.reason
if ready.message ~= nil and ready.message ~= "" then
  text = text .. ": " .. ready.message
end
local durable = condition("Durable")
if durable ~= nil then
  text = text .. "; " .. durable.reason .. ": " .. durable.message
end
return health("Healthy", text)
