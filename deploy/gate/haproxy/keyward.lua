-- Asks `keyward gate` about a call. Sets txn.keyward_status to the status of its answer, and to nothing
-- where there is none; haproxy.cfg lets a call through only at 200.

-- HAProxy 2.6 asks up to four times where it gets no answer, so a call waits four times as long at most.
local TIMEOUT_MS = 1000

-- Headers of the call that the gate goes by: one for each of --key-headers, and these.
local SHOWN = { "authorization", "x-api-key", "origin", "referer", "connection" }
local CALLER = { "key-id", "namespace", "name", "client", "application", "quota-remaining" }

local function first(headers, name)
  local values = headers and headers[name]
  return values and values[0] or nil
end

core.register_action("keyward", { "http-req" }, function(txn, url)
  txn:set_var("txn.keyward_status", "")
  txn:set_var("txn.keyward_reason", "Unavailable")
  local headers = txn.http:req_get_headers()
  local asked = {
    ["x-forwarded-method"] = { txn.f:method() },
    ["x-forwarded-uri"] = { txn.f:url() },
    ["x-forwarded-host"] = { first(headers, "host") or "" },
    ["x-forwarded-for"] = { txn.f:src() },
  }
  -- A header that came twice is shown twice: the gate refuses it.
  for _, name in ipairs(SHOWN) do
    if headers[name] ~= nil then
      asked[name] = {}
      for at = 0, #headers[name] do table.insert(asked[name], headers[name][at]) end
    end
  end
  local answer = core.httpclient():get({ url = url, headers = asked, timeout = TIMEOUT_MS })
  if answer == nil or type(answer.status) ~= "number" then return end
  local retry_after = first(answer.headers, "retry-after")
  if retry_after ~= nil then txn:set_var("txn.keyward_retry_after", retry_after) end
  local reason = first(answer.headers, "x-keyward-reason")
  if reason ~= nil then txn:set_var("txn.keyward_reason", reason) end
  if answer.status == 200 then
    for _, name in ipairs(CALLER) do
      local value = first(answer.headers, "x-keyward-" .. name)
      if value ~= nil then txn.http:req_set_header("X-Keyward-" .. name, value) end
    end
  end
  txn:set_var("txn.keyward_status", tostring(answer.status))
end, 1)
