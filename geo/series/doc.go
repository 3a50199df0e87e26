// Package series turns the scattered, cloud-broken observations of a plot into a
// curve: Whittaker smoothing on the true spacing of the days, gaps that stay
// marked as gaps, and the dates of the growing seasons.
//
// The smoother minimises
//
//	Σ w·(y−z)² + λ · Σ h·(z″)²
//
// where z″ is the second divided difference of three neighbouring points and h
// half the distance of the outer two (Whittaker 1923; Eilers 2003, A perfect
// smoother). For points one step apart this is the usual second-order Whittaker
// smoother; for others it approximates the same integral, so that λ keeps its
// meaning when scenes are missing. [Smoother] does this for one series or, at
// twice the speed, for many over the same dates.
//
// What clouds hid is better estimated by [Fill], which the curves of plots use
// ([Fit]): its penalty forgets, so that a gap leads back to the plot's usual year.
package series
