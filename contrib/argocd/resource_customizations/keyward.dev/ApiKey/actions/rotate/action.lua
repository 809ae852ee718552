-- A request is named by its minute and each name acts once, so a second click does no harm.
local os = require("os")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["keyward.dev/rotate-request-id"] = os.date("!argocd-%Y-%m-%dT%H:%MZ")
return obj
