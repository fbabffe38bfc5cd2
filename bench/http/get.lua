-- Each of 100,000 assignments, at random, by id.
local headers = { authorization = "Bearer " .. os.getenv("TOKEN") }
init = function(args) math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 100000) end
request = function()
    return wrk.format("GET", string.format("/api/v1/assignments/00000000-0000-0000-0006-%012d", math.random(1, 100000)), headers)
end
