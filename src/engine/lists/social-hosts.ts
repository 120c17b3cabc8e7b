/** Where organisations show themselves besides their own site. */
export const SOCIAL_HOSTS = {
  version: "2026-11-24",
  hosts: [
    "facebook.com",
    "instagram.com",
    "linkedin.com",
    "x.com",
    "twitter.com",
    "youtube.com",
    "tiktok.com",
    "pinterest.com",
    "github.com",
    "xing.com",
    "bsky.app",
    "threads.net",
    "threads.com",
    "mastodon.social",
    "vk.com",
    "weibo.com",
    "t.me",
    "wa.me",
  ] as readonly string[],
}
