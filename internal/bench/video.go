package bench

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// video is what a video profile makes of a load: an object for each frame, a group for each group of pictures.
type video struct {
	rate   float64 // frames per second
	frames []int   // their sizes in bytes, of one group
}

// bitrates are what encoders for live streams are commonly set to, in Mbit/s at up to 30 frames per second. Twice as
// many frames take half as much again.
var bitrates = map[string]float64{"240p": 0.4, "360p": 0.8, "480p": 1.5, "720p": 3, "1080p": 6, "1440p": 12, "4k": 25}

// weights are the sizes of pictures: those that stand alone, are predicted, and are predicted from both sides.
var weights = map[byte]float64{'i': 8, 'p': 2, 'b': 1}

// gopSeconds is how long a group of pictures is.
const gopSeconds = 2

// VideoProfiles are the resolutions of --video, GOPs the patterns of groups of pictures.
func VideoProfiles() []string {
	return slices.SortedFunc(maps.Keys(bitrates), func(a, b string) int {
		return int(bitrates[a]*100) - int(bitrates[b]*100)
	})
}

// GOPs are the patterns of groups of pictures: all alone, one alone and the rest predicted, or with two predicted from
// both sides between the predicted.
func GOPs() []string { return []string{"i", "ip", "ibp"} }

// parseVideo reads a profile such as 1080p30, and a pattern.
func parseVideo(profile, gop string) (v video, err error) {
	name, frames := profile, 30
	if i := strings.LastIndexAny(profile, "pk"); i >= 0 && i < len(profile)-1 {
		name = profile[:i+1]
		if frames, err = strconv.Atoi(profile[i+1:]); err != nil || frames < 1 || frames > 240 {
			return v, fmt.Errorf("video %q: want frames per second from 1 to 240 after %s", profile, name)
		}
	}
	mbps, ok := bitrates[name]
	if !ok {
		return v, fmt.Errorf("video %q: want one of %s, and frames per second, such as 1080p30", profile,
			strings.Join(VideoProfiles(), ", "))
	}
	if frames > 30 {
		mbps *= 1 + 0.5*float64(frames-30)/30
	}
	if gop == "" {
		gop = "ip"
	}
	if !slices.Contains(GOPs(), gop) {
		return v, fmt.Errorf("GOP %q: want one of %s", gop, strings.Join(GOPs(), ", "))
	}
	v.rate = float64(frames)
	n := gopSeconds * frames
	total := 0.0
	kinds := make([]float64, n)
	for i := range kinds {
		kinds[i] = weights[kind(gop, i)]
		total += kinds[i]
	}
	bytes := mbps * 1e6 / 8 * gopSeconds
	for _, k := range kinds {
		v.frames = append(v.frames, max(MinObjectSize, int(bytes*k/total)))
	}
	return v, nil
}

// kind is that of a picture of a group, in the order in which they are sent: a predicted one comes before the two that
// need it.
func kind(gop string, i int) byte {
	switch {
	case i == 0 || gop == "i":
		return 'i'
	case gop == "ip" || i%3 == 1:
		return 'p'
	}
	return 'b'
}

// mean is the mean size of a frame in bytes.
func (v video) mean() int {
	sum := 0
	for _, n := range v.frames {
		sum += n
	}
	return sum / len(v.frames)
}
