dojoConfig = { ioPublish: true, async: false, packages: [{ name: "dojox", location: "../dojox1.7" }] };
