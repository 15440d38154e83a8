// An app as it is signed and sent. The boot file starts it, and gives it `firmsealApp`.
print("app 1 runs");
// what tells that it is well is the product's own: a sensor that answers, a connection that stands
firmsealApp.confirm();
