// Loaded before the suite: its mock servers would listen on every interface; under test they listen on 127.0.0.1.
const net = require('node:net');

const bind = net.Server.prototype._listen2;
net.Server.prototype._listen2 = function (address, port, addressType, ...rest) {
  return address ? bind.call(this, address, port, addressType, ...rest) : bind.call(this, '127.0.0.1', port, 4, ...rest);
};
