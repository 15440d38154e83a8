// An app as it is signed and sent. The boot file starts it, and gives it `firmsealApp`.
print("app 1 runs");
// the product decides when it works: a sensor answers, a connection is up
firmsealApp.confirm();
