// Package behaviour tells what an animal does from the raw acceleration of its tag:
// it lies, walks, grazes or stands, and maybe chews the cud.
//
// A burst is cut into windows, a window is reduced to features that do not change
// when the tag turns on its collar, and a multinomial logistic regression with four
// classes scores them. Validate measures it on animals that it has not seen.
package behaviour
