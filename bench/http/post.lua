-- A contact of each of 100,000 assignments, at random.
local headers = { authorization = "Bearer " .. os.getenv("TOKEN"), ["content-type"] = "application/json" }
init = function(args) math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 100000) end
request = function()
    return wrk.format("POST", string.format("/api/v1/assignments/00000000-0000-0000-0006-%012d/activities", math.random(1, 100000)), headers, "{}")
end
