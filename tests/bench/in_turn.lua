-- For scripts of wrk: each request posts the next of these bodies.
return function(bodies)
  local count = 0
  wrk.method = 'POST'
  wrk.headers['Content-Type'] = 'application/atom+xml'
  request = function()
    count = count + 1
    return wrk.format(nil, nil, nil, bodies[count % #bodies + 1])
  end
end
