-- Posts events that nobody has posted before: `wrk … -s events.lua URL -- KEY RUN ITEMS KIND`.
-- RUN is part of every event_id, so that each run has its own; ITEMS 1: one event as JSON, more: NDJSON; KIND:
-- progress or order.
dofile(debug.getinfo(1, "S").source:sub(2):match("(.*/)") .. "report.lua")

local head, run, items, event
local count = 0

local function order()
    count = count + 1
    return string.format(
        '{"event_id":"%s-%d","type":"order.paid","occurred_at":"2026-01-%02dT%02d:%02d:00Z","order_id":"%s-%d",'
            .. '"currency":"EUR","lines":[{"line_id":"1","provider":"school","course_id":"c%d","quantity":1,"paid":%d}]}',
        run, count, 1 + count % 28, count % 24, count % 60, run, count, count * 7919 % 1000, 500 + count * 31 % 20011)
end

local function progress()
    count = count + 1
    return string.format(
        '{"event_id":"%s-%d","type":"progress","occurred_at":"2026-01-%02dT%02d:%02d:00Z","learner":"learner-%d",'
            .. '"provider":"school","course_id":"c%d","progress_ppm":%d}',
        run, count, 1 + count % 28, count % 24, count % 60, count * 7919 % 100003, count % 1000, count * 31 % 1000000)
end

function init(arguments)
    run, items = arguments[2], tonumber(arguments[3])
    event = arguments[4] == "order" and order or progress
    head = "POST /v1/events HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\nAuthorization: Bearer "
        .. arguments[1] .. "\r\nContent-Type: " .. (items == 1 and "application/json" or "application/x-ndjson")
        .. "\r\nContent-Length: "
end

function request()
    local body
    if items == 1 then
        body = "[" .. event() .. "]"
    else
        local lines = {}
        for i = 1, items do
            lines[i] = event()
        end
        body = table.concat(lines, "\n") .. "\n"
    end
    return head .. #body .. "\r\n\r\n" .. body
end
